"""`python -m benchmarks.kill_backup`: a backup is killed with SIGKILL at ten random moments.

Each time there must be no file of the backup's name, the earlier backup must be as it was, no pg_dump may be left, and a
file that is left must be unfinished and encrypted. The backup after it clears it away. Exit 1 when anything is otherwise.
"""

import multiprocessing
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from benchmarks.owed import owe
from benchmarks.stage import stage
from lms.backup import encryption, place, restoring, writing
from lms.backup.encryption import Opener
from lms.backup.writing import Lock, Source

KILLS = 10
# The beginnings of what a backup tells of its progress.
STAGES = ("counting", "reading the database", "reading the database: ", "checking")
MOST_SECONDS = 0.2
CLEAR = (b"PGDMP", b"PRIVATE KEY", b"SECRET_KEY", b"settings.json", b"database/0")


@dataclass(frozen=True)
class Kill:
    """A killed backup. stage: the progress after which it was killed. faults: what was otherwise than it must be."""

    stage: str
    unfinished_bytes: int
    faults: tuple[str, ...]


def kill(source: Source, folder: Path, kills: int) -> Iterator[Kill]:
    """Make a backup, then kill so many, each a random moment after one of the stages."""
    identity, recipient = encryption.new_identity()
    opener = Opener([identity])
    earlier = folder / "lms-20260101T000000Z.age"
    writing.make(source, earlier, Lock((recipient,)), lambda _: None)
    content = earlier.read_bytes()
    number = 0
    while number < kills:
        stage = STAGES[number % len(STAGES)]
        path = folder / f"lms-20260102T0000{number:02d}Z.age"
        was_killed = _killed_at(stage, source, path, recipient)
        if path.exists():  # it had its name already, so it must be whole
            restoring.verify(path, opener)
            path.unlink()
            continue
        if not was_killed:
            raise RuntimeError("the backup ended by itself and made no file")
        number += 1
        drafts = list(folder.glob(f".*{place.UNFINISHED}"))
        unfinished_bytes = sum(draft.stat().st_size for draft in drafts)
        faults = list(_faults(drafts))
        if earlier.read_bytes() != content or not restoring.verify(earlier, opener).manifest.rows:
            faults.append("the earlier backup is not as it was")
        if place.clear(folder) != drafts:
            faults.append("the unfinished file is not cleared away")
        yield Kill(stage, unfinished_bytes, tuple(faults))


def _killed_at(stage: str, source: Source, path: Path, recipient: str) -> bool:
    """Kill a backup within a moment after it came to the stage; False if it had ended before."""
    # A fork, so that a kill falls into the backup and not into the start of Python.
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=writing.make, args=(source, path, Lock((recipient,)), sender.send))
    process.start()
    sender.close()
    with suppress(EOFError):
        while not receiver.recv().startswith(stage):
            pass
        time.sleep(random.uniform(0, MOST_SECONDS))
    process.kill()
    process.join()
    receiver.close()
    time.sleep(0.2)  # pg_dump gets its signal when its parent is dead
    return process.exitcode == -signal.SIGKILL


def _faults(drafts: list[Path]) -> Iterator[str]:
    for draft in drafts:
        written = draft.read_bytes()
        if any(mark in written for mark in CLEAR):
            yield "the unfinished file has something in clear"
        if draft.stat().st_mode & 0o777 != 0o600:
            yield "the unfinished file is readable to others"
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = entry.read_bytes()
        except OSError:
            continue
        if b"pg_dump" in command and b"--snapshot" in command:
            yield "pg_dump still runs"


def main() -> int:
    """Run, print, judge."""
    with stage() as set_stage, tempfile.TemporaryDirectory(prefix="lms-bench-") as place_of_backups:
        owe(set_stage.app, 2000)
        settings = set_stage.app.config["SETTINGS"]
        source = Source(settings.database_url, settings.keys_dir, os.environ)
        wrong = 0
        for number, killed in enumerate(kill(source, Path(place_of_backups), KILLS), 1):
            wrong += bool(killed.faults)
            print(
                f"{number:>3}  after: {killed.stage:<24} {killed.unfinished_bytes:>9} bytes unfinished"
                f"  {'; '.join(killed.faults) or 'ok'}",
                flush=True,
            )
    print(
        f"{KILLS} times killed with SIGKILL: {'WRONG' if wrong else 'no file of the name, earlier backup intact, nothing in clear'}"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
