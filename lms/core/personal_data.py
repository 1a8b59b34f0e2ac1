"""Registry of personal data: which kinds there are, why each is held, who receives it, and how it is exported and erased.

The package that owns the data registers its kinds in a module `personal_data`, which the map in `lms.app` imports. A test
walks the tables and finds one that refers to a person, or holds encrypted values, and belongs to no kind.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from lms.core.errors import N_

# A row of an export: names of columns → values of JSON.
Row = dict[str, Any]


class Whose(StrEnum):
    """The people whom a kind of data is about."""

    TRAINEE = "trainee"
    USER = "user"
    INSTRUCTOR = "instructor"
    GUARDIAN = "guardian"
    WALK_IN = "walk_in"
    CONTACT_PERSON = "contact_person"


class Basis(StrEnum):
    """The legal bases of PIPL, article 13, on which this system handles data."""

    CONSENT = "consent"
    CONTRACT = "contract"
    LEGAL_DUTY = "legal_duty"
    PUBLIC_HEALTH = "public_health"


class Receiver(StrEnum):
    """The receivers of data besides the branch."""

    SMS_GATEWAY = "sms_gateway"
    MAIL_PROVIDER = "mail_provider"
    HOST = "host"
    ANYBODY_WITH_CODE = "anybody_with_code"
    PUBLIC_PAGE = "public_page"


@dataclass(frozen=True)
class Subject:
    """A person: the record as a trainee, and the account that is linked to it. Either may be missing.

    merged_ids: second records of the person that were merged into the first; their rows are the person's, too.
    """

    trainee_id: int | None
    user_id: int | None = None
    merged_ids: tuple[int, ...] = ()

    @property
    def trainee_ids(self) -> tuple[int, ...]:
        """The ids of all records of the person."""
        return (() if self.trainee_id is None else (self.trainee_id,)) + self.merged_ids


@dataclass(frozen=True)
class Erased:
    """The result of erasing one kind: the number of rows that changed, and the codes of `REMAINS` that say what stays."""

    rows: int = 0
    remains: tuple[str, ...] = ()


@dataclass(frozen=True)
class DataKind:
    """A kind of personal data. label, purpose: msgids.

    tables: table → the columns that hold it. retention: the code of the retention rule. export: the person's rows, as values
    of JSON, decrypted. erase: removes what identifies the person, within an erasure that has locked the person's rows.
    obstacles: msgids that say why the person cannot be erased now. lock: locks the
    person's rows without waiting, and tells whether it got all of them. needed: the condition on a trainee under which the
    person's record is needed, so that retention does not erase it.
    """

    code: str
    label: str
    purpose: str
    tables: Mapping[str, Sequence[str]]
    whose: Sequence[Whose]
    basis: Basis
    retention: str
    receivers: Sequence[Receiver] = ()
    export: Callable[[Session, Subject], list[Row]] | None = None
    erase: Callable[[Session, Subject], Erased] | None = None
    obstacles: Callable[[Session, Subject], Iterable[str]] | None = None
    lock: Callable[[Session, Subject], bool] | None = None
    needed: Callable[[], ColumnElement[bool]] | None = None


# Tables that refer to people and are no kind of personal data of their own, each with the reason.
APART: dict[str, str] = {}

# The reasons for which something of an erased person stays. By code; the texts are msgids.
REMAINS = {
    "counts": N_("Attendance and results stay as figures that name nobody, so that all totals stay as they are."),
    "certificate": N_(
        "The fact of each certificate stays: its code still verifies, and a name that somebody types is still compared with"
        " the code. The name itself is erased; nothing can be printed any more."
    ),
    "trail": N_("The audit trail stays. Names and contacts in it are masked."),
    "files": N_("Files that were exported or imported earlier are encrypted or private, and are deleted by %(day)s."),
    "backups": N_("Backups keep the data until they are replaced. After a restore, erase the person again."),
}

_kinds: dict[str, DataKind] = {}


def register(kind: DataKind) -> DataKind:
    """Register a kind, once, when its module is loaded."""
    _kinds[kind.code] = kind
    return kind


def leave_apart(tables: Mapping[str, str]) -> None:
    """Name tables that refer to people and hold no personal data of their own, each with the reason."""
    APART.update(tables)


def registered() -> list[DataKind]:
    """Every kind, in the order in which the packages were loaded: the lowest first."""
    return list(_kinds.values())


def export(db: Session, subject: Subject) -> dict[str, list[Row]]:
    """Everything about a person, by the code of the kind. Kinds without rows are there, too."""
    return {kind.code: kind.export(db, subject) if kind.export else [] for kind in registered()}


def locked(db: Session, statement: Select[Any]) -> bool:
    """Lock the rows of a SELECT without waiting, and tell whether all of them could be locked."""
    number = db.scalar(select(func.count()).select_from(statement.order_by(None).subquery()))
    return len(db.execute(statement.with_for_update(skip_locked=True)).all()) == number


def obstacles(db: Session, subject: Subject) -> list[str]:
    """The reasons for which a person cannot be erased now: msgids."""
    return [reason for kind in registered() if kind.obstacles for reason in kind.obstacles(db, subject)]


def erase(db: Session, subject: Subject) -> dict[str, Erased]:
    """Erase a person in every kind, by its code. The packages above come first: they may need what those below hold."""
    return {kind.code: kind.erase(db, subject) for kind in reversed(registered()) if kind.erase}
