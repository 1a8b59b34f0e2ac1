"""gunicorn, for `flask up` and for production: `gunicorn -c lms/embedded/gunicorn.conf.py wsgi:app`.

WEB_WORKERS (processes) and WEB_THREADS (in each) size it; HOST and PORT say where it listens. `flask up`
opens the port itself, before anything else, and hands it over as LISTEN_FD. WEB_SLOW_SECONDS is the time that a client
has for the head of a request, and may pause in its body or in reading the answer (20).
"""

import os
import sys
from pathlib import Path
from typing import Any

from lms.config import SettingsError, load_settings

bind = (
    f"fd://{os.environ['LISTEN_FD']}"
    if os.environ.get("LISTEN_FD")
    else (f"{os.environ.get('HOST') or '127.0.0.1'}:{os.environ.get('PORT') or '8000'}")
)
worker_class = "lms.embedded.web_worker.BufferingWorker"
worker_connections = 2000  # of each worker; idle and slow ones cost no thread
workers = int(os.environ.get("WEB_WORKERS") or 1)
threads = int(os.environ.get("WEB_THREADS") or 8)
timeout = 60
graceful_timeout = 30  # a TERM lets the requests in flight end
keepalive = 5
# The socket of `BufferingWorker` never blocks, and Python's `socket.sendfile` refuses such a socket.
sendfile = False
# Its sign of life is a file; on a slow disk that alone can stall a worker.
worker_tmp_dir = "/dev/shm" if Path("/dev/shm").is_dir() else None  # noqa: S108 - gunicorn makes its own file there
# Addresses carry secrets (a ticket's, a password link's): the application logs what may be kept.
accesslog = None
errorlog = "-"
# It would open a socket in the home folder; nothing here uses it.
control_socket_disable = True


def on_starting(_server: object) -> None:
    """Check the settings before any worker starts: one that cannot load the application is restarted for ever."""
    try:
        load_settings()
    except SettingsError as error:
        sys.exit("\n".join(f"Setting {line}" for line in error.lines))


def post_worker_init(worker: Any) -> None:
    """Read ahead, in each process that answers requests, what its first request would wait for."""
    warm = getattr(worker.wsgi, "extensions", {}).get("warm")
    if warm is not None:
        warm()
