# The tag is a minor version on a named Debian release: it moves with security fixes only. Another registry or a digest
# can be named with --build-arg PYTHON_IMAGE=...
ARG PYTHON_IMAGE=python:3.13-slim-trixie

FROM ${PYTHON_IMAGE} AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
# The dependencies first: this layer is built again only when the lock file changes. Wheels alone, so no compiler.
COPY requirements.lock ./
RUN python -m venv /opt/venv \
    && /opt/venv/bin/python -m pip install --require-hashes --only-binary :all: --requirement requirements.lock
COPY pyproject.toml setup.cfg README.md LICENSE NOTICE ./
COPY cds_service ./cds_service
COPY hooks ./hooks
# What only builds and installs is taken out again, and what is left is compiled, since the root file system may be
# read-only later; the last line proves that it starts.
RUN /opt/venv/bin/python -m pip install --no-build-isolation --no-deps . \
    && /opt/venv/bin/python -m pip uninstall --yes setuptools pip \
    && /opt/venv/bin/python -m compileall -q /opt/venv/lib \
    && /opt/venv/bin/cds-service --help

FROM ${PYTHON_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="immune-status-cds" \
      org.opencontainers.image.description="CDS Hooks service that reads CD4 counts and HIV viral loads and answers with cards" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# The service installs nothing and becomes nobody else: pip goes, and so does the right of any program to change the user.
# The folder is for the SQLite file: a named volume takes over its owner.
RUN rm -rf /usr/local/lib/python3*/site-packages/* /usr/local/lib/python3*/ensurepip /usr/local/bin/pip* \
    && find / -xdev -type f -perm /6000 -exec chmod a-s {} + \
    && install -d -o 10001 -g 10001 -m 0700 /var/lib/immune-status
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CDS_DATABASE_URL=sqlite:////var/lib/immune-status/ledger.sqlite3
COPY --from=build /opt/venv /opt/venv
# "cds-service fixture" looks for the fixture requests below the working directory.
WORKDIR /app
COPY LICENSE NOTICE ./
COPY fixtures ./fixtures
# A number, so that an orchestrator can see for itself that this is not root.
USER 10001:10001
VOLUME ["/var/lib/immune-status"]
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
# No shell between: the server is the first process and gets the signal to stop, upon which it answers what it has begun.
STOPSIGNAL SIGTERM
ENTRYPOINT ["cds-service"]
# It needs CDS_ISSUERS and CDS_PUBLIC_URL, and a proxy that speaks TLS in front: deploy/compose.yaml shows both.
CMD ["serve", "--host", "0.0.0.0"]
