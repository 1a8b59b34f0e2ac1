"""Instance folder, host and port of a run. The port is taken before anything else is done."""

import errno
import http.client
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from lms.config import ROOT
from lms.embedded.failure import StartError

DEFAULT_HOST = "127.0.0.1"
DEFAULT_PORT = 8000
BACKLOG = 512
EVERYWHERE = {"0.0.0.0", "::", ""}  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True)
class Place:
    """The instance folder, and the host and port to listen on."""

    instance: Path
    host: str
    port: int

    @property
    def url(self) -> str:
        """The address to open in a browser; this machine's own where it listens everywhere."""
        host = _outward_address() if self.host in EVERYWHERE else self.host
        return f"http://[{host}]:{self.port}" if ":" in host else f"http://{host}:{self.port}"

    @property
    def is_public(self) -> bool:
        """Tell whether other machines can reach this address."""
        return self.host not in {"127.0.0.1", "::1", "localhost"}


def read(environ: Mapping[str, str]) -> Place:
    """Read INSTANCE_DIR, HOST and PORT. Raises StartError for a port that is none."""
    text = environ.get("PORT") or str(DEFAULT_PORT)
    try:
        port = int(text)
    except ValueError:
        port = -1
    if not 0 <= port <= 65535:
        raise StartError(f"PORT={text} is not a port number (1 to 65535)")
    instance = Path(environ.get("INSTANCE_DIR") or ROOT / "instance").expanduser().absolute()
    return Place(instance, environ.get("HOST") or DEFAULT_HOST, port)


def listen(where: Place) -> socket.socket:
    """Open the port before anything else is done. Raises StartError if another process has it."""
    family = socket.AF_INET6 if ":" in where.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((where.host, where.port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            cure = f"free it, or: make run PORT={where.port + 1}"
            raise StartError(
                f"端口 {where.port} 已被占用 · port {where.port} on {where.host} is in use; {cure}"
            ) from None
        raise StartError(f"cannot listen on {where.host}:{where.port}: {error.strerror or error}") from error
    return listener


def answers(where: Place) -> bool:
    """Tell whether the web server answers its health check."""
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(where.host, where.host)  # noqa: S104 - read, not bound
    connection = http.client.HTTPConnection(host, where.port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _outward_address() -> str:
    """This machine's address as others see it; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("10.255.255.255", 9))
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
