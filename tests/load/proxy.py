"""Ports of replicas in, nginx before them out: Debian's own, with deploy/nginx.conf, in a folder of its own on loopback."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import monotonic, sleep

from tests.test_web import free_port

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / "deploy" / "nginx.conf"
HOST = "cds.example.org"
_PLACES = f"{ROOT / '.venv' / 'nginx' / 'usr' / 'sbin'}:{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin"
_MAIN = """
{user}
daemon off;
pid {folder}/pid;
worker_processes 1;
worker_rlimit_nofile 20000;
error_log {folder}/main-error.log;
events {{ worker_connections 8192; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proxy:
    """A running nginx."""

    port: int
    folder: Path
    trust: ssl.SSLContext  # of its certificate

    def connect(self, source: str = "127.0.0.1") -> ssl.SSLSocket:
        """A connection, from an address of this machine."""
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return self.trust.wrap_socket(plain, server_hostname=HOST)

    def logged(self) -> str:
        """All that it wrote."""
        return "".join(path.read_text("utf-8", "replace") for path in self.folder.glob("*.log"))


def lacking() -> str | None:
    """Why there can be no proxy on this machine; None where there can."""
    missing = [name for name in ("nginx", "openssl") if not _found(name)]
    return f"{' and '.join(missing)} not installed (make system)" if missing else None


@contextmanager
def proxy(folder: Path, replicas: list[int]) -> Iterator[Proxy]:
    """Runs it until the block ends."""
    folder.mkdir()
    port = free_port()
    (folder / "site.conf").write_text(site(folder, port, replicas), "utf-8")
    user = "user root;" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder, user=user), "utf-8")
    certificate = _certificate(folder)
    command = [str(_found("nginx")), "-p", str(folder), "-e", str(folder / "main-error.log"), "-c", "nginx.conf"]
    with subprocess.Popen(command) as server:
        try:
            found = Proxy(port=port, folder=folder, trust=ssl.create_default_context(cafile=certificate))
            _wait_for(found, server)
            yield found
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(20)


def site(folder: Path, port: int, replicas: list[int]) -> str:
    """deploy/nginx.conf with what its reader is told to change, and nothing else, changed."""
    text = SITE.read_text("utf-8")
    shown = [f"    server 127.0.0.1:{number} max_fails=3 fail_timeout=2s;\n" for number in (8081, 8082)]
    given = [shown[0].replace("8081", str(number)) for number in replicas]
    for old, new in {
        "".join(shown): "".join(given),
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "/etc/ssl/immune-status/fullchain.pem": str(folder / "certificate.pem"),
        "/etc/ssl/immune-status/key.pem": str(folder / "key.pem"),
        "/var/log/nginx/immune-status.log": str(folder / "access.log"),
        "/var/log/nginx/immune-status-error.log": str(folder / "error.log"),
    }.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


def _found(name: str) -> str | None:
    return shutil.which(name, path=_PLACES)


def _certificate(folder: Path) -> Path:
    """Signed by itself, of a key made now."""
    found = folder / "certificate.pem"
    command = [str(_found("openssl")), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(found), "-days", "2", "-subj", f"/CN={HOST}"]
    subprocess.run([*command, "-addext", f"subjectAltName=DNS:{HOST}"], check=True, capture_output=True)
    return found


def _wait_for(found: Proxy, server: subprocess.Popen[bytes]) -> None:
    ends = monotonic() + 20
    while server.poll() is None and monotonic() < ends:
        try:
            found.connect().close()
            return
        except OSError:
            sleep(0.02)
    raise RuntimeError(f"nginx did not start: {found.logged()}")
