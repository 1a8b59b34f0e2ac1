"""Retention: for how long each kind of personal data is kept. The periods are rows, which a city administrator can change.

The package that owns the data registers a `RetentionKind`: from when the period counts, how many rows are due, and how they
are erased. `courses.privacy.retention` works them off each night.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, CheckConstraint, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from lms.core import clock
from lms.core.db import Base, EnumText
from lms.core.errors import NotFound

DAYS_OF_A_MONTH = 30.4375  # on average; a period of retention needs no calendar


class PeriodUnit(StrEnum):
    """The units of a period."""

    DAYS = "days"
    MONTHS = "months"


class RetentionRule(Base):
    """The period of one kind of data. `amount` is null for data that is kept for good. `source_…` say why, or by which law."""

    __tablename__ = "retention_rule"

    code: Mapped[str] = mapped_column(primary_key=True)
    amount: Mapped[int | None]
    unit: Mapped[PeriodUnit] = mapped_column(EnumText(PeriodUnit))
    source_zh: Mapped[str]
    source_en: Mapped[str]
    changed_at: Mapped[datetime | None]
    changed_by: Mapped[int | None] = mapped_column(BigInteger)

    __table_args__ = (
        CheckConstraint("unit IN ('days', 'months')", name="unit"),
        CheckConstraint("amount BETWEEN 1 AND 3660", name="amount"),
    )

    @property
    def period(self) -> timedelta | None:
        """The period; None for data that is kept for good."""
        if self.amount is None:
            return None
        return timedelta(days=self.amount if self.unit is PeriodUnit.DAYS else round(self.amount * DAYS_OF_A_MONTH))


@dataclass(frozen=True)
class RetentionKind:
    """A kind of data with a period. label, since: msgids; `since` says from when the period counts.

    due: the number of rows whose period ended before a moment. erase: erases them in batches and yields the number of each
    batch, which its caller commits; None where the data is kept. fixed: the period belongs to how the data is used, and cannot
    be changed.
    """

    code: str
    label: str
    since: str
    due: Callable[[Session, datetime], int] | None = None
    erase: Callable[[Session, datetime], Iterator[int]] | None = None
    fixed: bool = False


_kinds: dict[str, RetentionKind] = {}


def register(kind: RetentionKind) -> RetentionKind:
    """Register a kind, once, when its module is loaded."""
    _kinds[kind.code] = kind
    return kind


def registered() -> list[RetentionKind]:
    """Every kind of the modules that are loaded, by code."""
    return sorted(_kinds.values(), key=lambda kind: kind.code)


def kind_of(code: str) -> RetentionKind:
    """The kind with a code. Raises NotFound."""
    if code not in _kinds:
        raise NotFound
    return _kinds[code]


def period(db: Session, code: str) -> timedelta | None:
    """The period of a kind; None for data that is kept for good."""
    return db.get_one(RetentionRule, code).period


def before(db: Session, code: str) -> datetime | None:
    """The moment before which data of a kind is due today; None for data that is kept for good."""
    lasts = period(db, code)
    return None if lasts is None else clock.now() - lasts


def rules(db: Session) -> dict[str, RetentionRule]:
    """The rules by code."""
    return {rule.code: rule for rule in db.scalars(select(RetentionRule).order_by(RetentionRule.code))}


def changeable(db: Session, code: str, *, lock: bool = False) -> tuple[RetentionKind, RetentionRule]:
    """A kind and its rule. Raises NotFound where the period is fixed, or the data is kept for good."""
    kind = kind_of(code)
    rule = None if kind.fixed else db.get(RetentionRule, code, with_for_update=lock)
    if rule is None or rule.amount is None:
        raise NotFound
    return kind, rule
