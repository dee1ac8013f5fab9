# The tag is a minor version on a named Debian release: it moves with security fixes only. Another registry or a digest
# can be named with --build-arg PYTHON_IMAGE=...
ARG PYTHON_IMAGE=python:3.12-slim-trixie

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
# What only builds and installs is taken out again; the last line proves that what is left starts.
RUN /opt/venv/bin/python -m pip install --no-build-isolation --no-deps . \
    && /opt/venv/bin/python -m pip uninstall --yes setuptools pip \
    && /opt/venv/bin/cds-service --help

FROM ${PYTHON_IMAGE}
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
COPY --from=build /opt/venv /opt/venv
# "cds-service fixture" looks for the fixture requests below the working directory.
WORKDIR /app
COPY LICENSE NOTICE ./
COPY fixtures ./fixtures
# A number, so that an orchestrator can see for itself that this is not root.
USER 10001:10001
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
# The first process of a container gets no default signal actions; Python itself always answers an interrupt.
STOPSIGNAL SIGINT
ENTRYPOINT ["cds-service"]
# "serve" refuses to start until client authentication exists, so the image runs the open demo. That listens on loopback
# only: reach it with "docker run --network host", or from another container in the same pod.
CMD ["demo"]
