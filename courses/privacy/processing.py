"""The register of processing (PIPL, articles 54 to 56): each kind of personal data, why it is held, and how much of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from lms.core import personal_data, retention_rules
from lms.core.db import Base
from lms.core.personal_data import DataKind
from lms.core.retention_rules import RetentionRule


@dataclass(frozen=True)
class ProcessingRecord:
    """A line of the register: a kind, its rule of retention, and the number of rows of its first table."""

    kind: DataKind
    rule: RetentionRule
    rows: int


def register(db: Session) -> Sequence[ProcessingRecord]:
    """The lines of the register, in the order of the packages."""
    rules = retention_rules.rules(db)
    tables = {next(iter(kind.tables)) for kind in personal_data.registered()}
    counts = {
        name: db.scalar(select(func.count()).select_from(Base.metadata.tables[name])) or 0 for name in sorted(tables)
    }
    return [
        ProcessingRecord(kind, rules[kind.retention], counts[next(iter(kind.tables))])
        for kind in personal_data.registered()
    ]
