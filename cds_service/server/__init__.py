"""An application factory in, a gunicorn server out: threads in a few processes, pinned limits, no access log."""

import gc
from collections.abc import Callable
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication

from cds_service.server.log import ServerLog
from cds_service.server.stopping import GRACE_SECONDS
from cds_service.server.unreadable_requests import Worker
from cds_service.upkeep import finish, look_after
from cds_service.web.metrics import forget_process

THREADS = 32  # a worker: those at work, those waiting, and some to tell that there is no room (web/admission.py)
_PINNED = {
    "worker_class": Worker,
    "accesslog": None,
    "logger_class": ServerLog,
    "worker_exit": lambda _, worker: finish(worker.wsgi) if getattr(worker, "wsgi", None) else None,
    "child_exit": lambda _, worker: forget_process(worker.pid),
    "forwarded_allow_ips": "",  # a client behind a proxy on this machine would else choose its own path (SCRIPT_NAME, PATH_INFO)
    "limit_request_line": 4094,
    "limit_request_fields": 100,
    "limit_request_field_size": 8190,
    "keepalive": 5,
    "timeout": 10,  # without a sign of life (stuck.py)
    "preload_app": False,
}


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn, configured by us alone: neither its command line nor its files are read.

    `drain_seconds`: so long after SIGTERM it still accepts connections, while /readyz says that it is stopping.
    """

    def __init__(
        self, make_app: Callable[[], Flask], bind: str, workers: int, threads: int = THREADS, *, drain_seconds: int = 0
    ) -> None:
        self._make_app = make_app
        self.drain_seconds = drain_seconds
        own = {"bind": bind, "workers": workers, "threads": threads, "graceful_timeout": drain_seconds + GRACE_SECONDS}
        self._options: dict[str, Any] = _PINNED | own
        super().__init__()

    def run(self) -> None:
        """Serves; what is imported by now is frozen first, or the workers' first collection would make each a copy of it."""
        gc.collect()
        gc.freeze()
        super().run()

    def load_config(self) -> None:
        """Sets the options; those this version of gunicorn knows for its control socket are switched off."""
        for name, value in self._options.items():
            self.cfg.set(name, value)
        if "control_socket_disable" in self.cfg.settings:
            self.cfg.set("control_socket_disable", True)

    def load(self) -> Flask:
        """The application, made in the worker that runs it."""
        app = self._make_app()
        look_after(app)
        gc.collect()
        gc.freeze()  # what was built here lives as long as the process: the collector need not walk it
        gc.set_threshold(10_000, 20, 20)  # a large chart is thousands of objects at once, few of them in circles
        return app
