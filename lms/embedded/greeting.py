"""The lines printed when everything runs: the address, and the demo accounts."""

import json
import os
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from lms.embedded.place import Place

ACCOUNTS_FILE = "demo_accounts.json"


def lines(where: Place, seconds: float) -> Iterator[str]:
    """The lines, in order; an empty one is a gap."""
    yield ""
    yield f"就绪 · ready ({seconds:.1f} s)   {where.url}"
    accounts = demo_accounts(where.instance)
    if accounts:
        yield ""
        yield "演示账号 · demo accounts"
        for line in table(accounts):
            yield f"  {line}"
        if where.is_public:
            yield ""
            yield "注意：其他设备可访问本机，而上述密码并不保密。"
            yield "Others can reach this machine, and the passwords above are no secret."
    yield ""
    yield from messages(where)
    yield f"日志 · logs: {where.instance / 'log'}"
    yield "按 Ctrl-C 停止 · Ctrl-C stops it"


def messages(where: Place) -> Iterator[str]:
    """Say that messages become files, where no mail server or no SMS gateway is set."""
    names = {"MAIL_URL": ("邮件", "mail"), "SMS_GATEWAY": ("短信", "SMS")}
    unset = [name for setting, name in names.items() if not os.environ.get(setting)]
    if unset:
        chinese, english = "和".join(name for name, _ in unset), " and ".join(name for _, name in unset)
        verb = "is" if len(unset) == 1 else "are"
        yield f"{chinese}不外发，写入文件夹 · {english} {verb} written to a folder: {where.instance / 'mail'}"


def demo_accounts(instance: Path) -> list[tuple[str, str, str]]:
    """Role, sign-in name and password of one account for each role, as the demo's loader wrote them down."""
    try:
        entries = json.loads((instance / ACCOUNTS_FILE).read_text(encoding="utf-8"))
        return [(str(entry["role"]), str(entry["login"]), str(entry["password"])) for entry in entries]
    except (OSError, ValueError, KeyError, TypeError):
        return []


def table(rows: Sequence[Sequence[str]]) -> list[str]:
    """The rows in columns; a Chinese character is two columns wide on a terminal."""
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "   ".join(cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
