"""The content of a backup as a tar archive that is written and read in one pass, with a few megabytes of memory.

The database's dump has no known length while it is written, so it lies in the archive as members of at most
`PIECE_BYTES`, `database/000000`, `database/000001` and so on. Where only standard programs are at hand, `age --decrypt |
tar --extract` and `cat database/*` give the dump back.
"""

import tarfile
from collections.abc import Callable, Iterator
from datetime import datetime

from lms.backup import BackupError

PIECE_BYTES = 8 * 1024 * 1024
END = bytes(2 * tarfile.BLOCKSIZE)
Receiver = Callable[[str, bytes], None]


def member(name: str, content: bytes, moment: datetime) -> Iterator[bytes]:
    """The bytes of one member: a header, the content, and zeros up to the next block."""
    header = tarfile.TarInfo(name)
    header.size, header.mode, header.mtime = len(content), 0o600, int(moment.timestamp())
    yield header.tobuf(tarfile.USTAR_FORMAT)
    yield content
    yield bytes(-len(content) % tarfile.BLOCKSIZE)


class Unpacker:
    """A writable object that takes the bytes of an archive as they come, and gives each whole member to `receive`.

    Raises BackupError for an archive that is no archive of ours. Nothing may follow the end mark.
    """

    def __init__(self, receive: Receiver) -> None:
        self.ended = False
        self._receive = receive
        self._waiting = bytearray()
        self._header: tarfile.TarInfo | None = None

    def write(self, content: bytes) -> int:
        """Take the next bytes, and hand over the members that are complete."""
        self._waiting += content
        while self._step():
            pass
        return len(content)

    def flush(self) -> None:
        """Nothing is kept back: a member is handed over when its last byte came."""

    def _step(self) -> bool:
        if self.ended:
            if any(self._waiting):
                raise BackupError("the backup is damaged: something follows its end")
            self._waiting.clear()
            return False
        if self._header is None:
            return self._read_header()
        size = self._header.size
        padded = size + -size % tarfile.BLOCKSIZE
        if len(self._waiting) < padded:
            return False
        name, content = self._header.name, bytes(memoryview(self._waiting)[:size])
        del self._waiting[:padded]
        self._header = None
        self._receive(name, content)
        return True

    def _read_header(self) -> bool:
        if len(self._waiting) < tarfile.BLOCKSIZE:
            return False
        block = bytes(self._waiting[: tarfile.BLOCKSIZE])
        del self._waiting[: tarfile.BLOCKSIZE]
        if not any(block):
            self.ended = True
            return True
        try:
            self._header = tarfile.TarInfo.frombuf(block, "utf-8", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError) as error:
            raise BackupError("the backup is damaged: a part of it has no readable heading") from error
        if not self._header.isreg() or not 0 <= self._header.size <= PIECE_BYTES:
            raise BackupError(f"the backup is damaged: {self._header.name} is not a part of a backup")
        return True
