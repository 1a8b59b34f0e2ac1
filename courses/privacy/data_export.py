"""Everything about a person in one file: `data.json`, complete, and a page that people read."""

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from courses.models.trainees import Trainee
from courses.privacy import erasure
from lms.core import audit, clock, personal_data, plain_values, retention_rules
from lms.core.errors import N_, DomainError
from lms.core.masks import without_names
from lms.core.personal_data import DataKind, Row

FORMAT = 1


@dataclass(frozen=True)
class ExportedKind:
    """The rows of one kind about a person, with the period of its retention rule."""

    kind: DataKind
    rows: list[Row]
    period: str | None


@dataclass(frozen=True)
class PersonExport:
    """Everything that the system holds about a person, at a moment."""

    name: str
    made_at: datetime
    kinds: list[ExportedKind]

    def as_json(self) -> dict[str, Any]:
        """The content of `data.json`."""
        return {
            "format": FORMAT,
            "made_at": plain_values.of(self.made_at),
            "name": self.name,
            "data": [
                {
                    "kind": part.kind.code,
                    "purpose": part.kind.purpose,
                    "legal_basis": part.kind.basis.value,
                    "receivers": [receiver.value for receiver in part.kind.receivers],
                    "kept_for": part.period,
                    "rows": part.rows,
                }
                for part in self.kinds
            ],
        }


def collect(db: Session, trainee: Trainee, *, reason: str | None) -> PersonExport:
    """Everything about a person, with an entry in the audit trail. reason: None where the person asks.

    Raises DomainError `erased_already`.
    """
    if trainee.erased_at is not None:
        raise DomainError("erased_already", N_("The data of this person has already been erased."))
    rules = retention_rules.rules(db)
    rows = personal_data.export(db, erasure.subject_of(trainee))
    kinds = [
        ExportedKind(
            kind,
            rows[kind.code],
            f"{rules[kind.retention].amount} {rules[kind.retention].unit}" if rules[kind.retention].amount else None,
        )
        for kind in personal_data.registered()
    ]
    after = {"rows": {code: len(part) for code, part in rows.items() if part}, "by_person": reason is None}
    audit.record(db, "trainee.export", f"trainee:{trainee.id}", after=after, reason=without_names(reason, trainee.name))
    return PersonExport(trainee.name, clock.now(), kinds)


def zipped(export: PersonExport, page: str) -> bytes:
    """The ZIP with `data.json` and the page for people (`data.html`)."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("data.json", json.dumps(export.as_json(), ensure_ascii=False, indent=2))
        archive.writestr("data.html", page)
    return file.getvalue()
