"""A folder in place of a mail server and an SMS gateway, for a system on one machine: each message is a file.

A mail is a file `.eml`; an SMS is a file `.json` with its number, purpose, parameters and text. The name follows from the
message, so a message that is written again after a crash replaces its file.
"""

import json
from dataclasses import dataclass
from pathlib import Path

import structlog

from lms.core.messages.channels.interface import Letter, TryLater
from lms.core.messages.channels.mail import Composer

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class File:
    """A message as a file."""

    name: str
    content: bytes


def file_name(letter: Letter, ending: str) -> str:
    """The name of a message's file: its moment and the beginning of its reference."""
    return f"{letter.created_at:%Y%m%dT%H%M%S}-{letter.ref.hex[:8]}.{ending}"


class Folder:
    """The files of one channel."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def serves(self, purpose: str) -> bool:  # noqa: ARG002
        """Every purpose can be written."""
        return True

    def deliver(self, built: File) -> None:
        """Write the file, readable to its owner alone, and whole or not at all."""
        path = self._folder / built.name
        draft = path.with_suffix(".part")
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            draft.touch(mode=0o600)
            draft.write_bytes(built.content)
            draft.replace(path)
        except OSError as error:
            raise TryLater("folder", channel=True) from error
        log.info("message_written", path=str(path))

    def close(self) -> None:
        """Nothing stays open."""


class MailFolder(Folder):
    """The folder in place of a mail server."""

    def __init__(self, folder: Path, composer: Composer) -> None:
        super().__init__(folder)
        self._composer = composer

    def build(self, letter: Letter) -> File:
        """The mail as a mail server would get it, with the line ends of a file."""
        content = self._composer.compose(letter).content
        return File(file_name(letter, "eml"), content.replace(b"\r\n", b"\n"))


class SmsFolder(Folder):
    """The folder in place of an SMS gateway."""

    def build(self, letter: Letter) -> File:
        """The SMS with the values that a gateway's template would get, and with the text of the mail to read."""
        content = {
            "to": letter.address,
            "purpose": letter.purpose,
            "language": letter.language,
            "parameters": dict(letter.parameters),
            "text": letter.text,
            "ref": str(letter.ref),
        }
        return File(file_name(letter, "json"), json.dumps(content, ensure_ascii=False, indent=2).encode())
