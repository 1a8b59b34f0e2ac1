"""Calendar file (RFC 5545) of an offering's sessions."""

from datetime import UTC, datetime
from urllib.parse import urlsplit

from courses.models.offerings import Offering
from lms.core import clock

LINE_BYTES = 75


def calendar(offering: Offering, title: str, host: str, public_url: str) -> bytes:
    """The calendar file, with one event for each session. It carries no ticket, because calendars are shared and synchronised."""
    stamp = _moment(clock.now())
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//first-aid-lms//ticket//ZH", "METHOD:PUBLISH"]
    for meeting in offering.sessions:
        lines += [
            "BEGIN:VEVENT",
            f"UID:session-{meeting.id}@{urlsplit(public_url).hostname}",
            f"DTSTAMP:{stamp}",
            f"DTSTART:{_moment(meeting.starts_at)}",
            f"DTEND:{_moment(meeting.ends_at)}",
            f"SUMMARY:{_text(title)}",
            f"LOCATION:{_text(meeting.place or offering.place)}",
            f"DESCRIPTION:{_text(host)}",
            "END:VEVENT",
        ]
    lines.append("END:VCALENDAR")
    return "".join(_folded(line) + "\r\n" for line in lines).encode()


def _moment(value: datetime) -> str:
    return value.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), (";", "\\;"), (",", "\\,"), ("\r\n", "\\n"), ("\n", "\\n"), ("\r", "\\n")):
        value = value.replace(plain, escaped)
    return value


def _folded(line: str) -> str:
    """Fold a line at 75 bytes, as RFC 5545 demands, and never within a character."""
    parts, part, size = [], "", 0
    for character in line:
        width = len(character.encode())
        if size + width > LINE_BYTES:
            parts.append(part)
            part, size = " ", 1
        part, size = part + character, size + width
    return "\r\n".join([*parts, part])
