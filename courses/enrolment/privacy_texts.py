"""The versions of the privacy text: which one is in force, and publishing a new one."""

from datetime import date

from sqlalchemy import select
from sqlalchemy.orm import Session

from courses.models.privacy import PrivacyText
from lms.core import audit, clock
from lms.core.errors import N_, DomainError, NotFound

LARGEST_VERSION = 32767
LONGEST = 30_000  # characters of a text
PLACEHOLDERS = ("{organisation}", "{contact}")


def current(db: Session) -> PrivacyText:
    """The version in force today: the newest whose day has come, and the first one before that."""
    texts = versions(db)
    today = clock.branch_today()
    return next((text for text in texts if text.in_force_from <= today), texts[-1])


def versions(db: Session) -> list[PrivacyText]:
    """All versions, the newest first."""
    return list(db.scalars(select(PrivacyText).order_by(PrivacyText.version.desc())))


def get(db: Session, version: int) -> PrivacyText:
    """A version. Raises NotFound."""
    text = db.get(PrivacyText, version) if 0 < version <= LARGEST_VERSION else None
    if text is None:
        raise NotFound
    return text


def publish(db: Session, text_zh: str, text_en: str, in_force_from: date) -> PrivacyText:
    """Publish a new version. Raises DomainError on the field at fault.

    A version is not changed afterwards, and does not come into force before the version that it follows.
    """
    texts = {"text_zh": _clean(text_zh), "text_en": _clean(text_en)}
    for name, text in texts.items():
        if not text or len(text) > LONGEST:
            raise DomainError(f"{name}_wrong", N_("Enter the text in both languages."), status=422, field=name)
    latest = db.scalars(select(PrivacyText).order_by(PrivacyText.version.desc()).limit(1).with_for_update()).one()
    if in_force_from < max(clock.branch_today(), latest.in_force_from):
        raise DomainError(
            "in_force_wrong", N_("Choose today or a later day, not before the version that is published already."),
            status=422, field="in_force_from",
        )  # fmt: skip
    row = PrivacyText(
        version=latest.version + 1, in_force_from=in_force_from, published_at=clock.now(),
        published_by=audit.actor(db), **texts,
    )  # fmt: skip
    db.add(row)
    db.flush()
    audit.record(
        db, "privacy.publish", f"privacy_text:{row.version}",
        after={"version": row.version, "in_force_from": in_force_from.isoformat()},
    )  # fmt: skip
    return row


def filled(text: str, *, organisation: str, contact: str) -> str:
    """A text with the branch's name and the contact in the place of the placeholders."""
    return text.replace("{organisation}", organisation).replace("{contact}", contact)


def blocks(text: str) -> list[tuple[str, list[str]]]:
    """A text in parts for a page: ("heading" | "paragraph" | "list", lines). Lines begin with "## " or "- "."""
    parts: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        if line.startswith("## "):
            parts.append(("heading", [line[3:].strip()]))
        elif line.startswith("- "):
            if parts and parts[-1][0] == "list":
                parts[-1][1].append(line[2:].strip())
            else:
                parts.append(("list", [line[2:].strip()]))
        elif line.strip():
            parts.append(("paragraph", [line.strip()]))
    return parts


def _clean(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.replace("\r\n", "\n").split("\n")).strip()
