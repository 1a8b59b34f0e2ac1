"""Facts about processes from the operating system, and the means to end a child when its parent dies."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

PR_SET_PDEATHSIG = 1

# Loaded before any fork: loading a library between fork and exec could deadlock.
_libc = ctypes.CDLL(None) if sys.platform == "linux" else None


def die_with_parent(signal_number: signal.Signals) -> Callable[[], None]:
    """The `preexec_fn` of a child that gets this signal when its parent dies, even by SIGKILL.

    Linux only; elsewhere it does nothing and the next start clears away what was left. It must run after a
    change of user, which resets the setting: `subprocess` calls it at that point.
    """
    parent = os.getpid()

    def bind() -> None:
        if _libc is None:
            return
        _libc.prctl(PR_SET_PDEATHSIG, int(signal_number), 0, 0, 0)
        if os.getppid() != parent:  # the parent died before the line above
            os._exit(1)

    return bind


def is_alive(pid: int) -> bool:
    """Tell whether the process runs. A zombie, which only waits for its parent to read its exit code, does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in "ZX"


def command_line(pid: int) -> str:
    """The process's command line, or an empty text when there is no such process (or it may not be read)."""
    cmdline = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            return cmdline.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return ""
    question = ["ps", "-p", str(pid), "-o", "command="]
    answer = subprocess.run(question, capture_output=True, text=True, check=False)
    return answer.stdout.strip()
