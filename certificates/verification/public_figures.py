"""The public figures: what the frozen quarters froze, by programme and district, signed with the status key.

`/.well-known/frozen-figures.json` serves them as a JSON Web Signature (RFC 7515, flattened JSON), as `type_table` serves the
certificate types. The page and the CSV file are made from the signed document alone, and the document holds the digest of
the CSV file. So whoever keeps a copy can prove what was published, and add up the parts.

Results of people (passed, absent) are left out: of a class of one person they would tell that person's result. The other
figures are sums that say nothing about a person, however small.
"""

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.branch import Branch
from certificates.keys import jws
from certificates.verification import signed_tables
from certificates.verification.signed_tables import SignedTable
from courses.counting import frozen_figures
from courses.counting.frozen_figures import ALL_DISTRICTS, ALL_PROGRAMMES, WHOLE_QUARTER, QuarterFigures
from courses.counting.quarters import Quarter
from courses.models.catalogue import Programme
from courses.models.quarters import FrozenQuarter
from lms.organisations.models import District

PURPOSE = "figures"
MEDIA_TYPE = "frozen-figures+jwt"
PATH = "/.well-known/frozen-figures.json"
CSV_PATH = "/figures.csv"
FIGURES = ("person_times", "named", "counted", "refresher", "minutes", "certificates", "offerings", "people")
CSV_COLUMNS = ("quarter", "programme", "programme_zh", "district", "district_zh", *FIGURES)
ALL = "*"  # in the CSV file: all programmes, or all districts


@dataclass(frozen=True)
class PublishedRow:
    """The figures of a programme ("" for all) in a district (0 for all), in the order of FIGURES."""

    programme: str
    district: int
    figures: Sequence[int]

    def __getattr__(self, name: str) -> int:
        """A figure by its name."""
        try:
            return self.figures[FIGURES.index(name)]
        except ValueError:
            raise AttributeError(name) from None


@dataclass(frozen=True)
class PublishedFigures:
    """A document that was read. Names are by language, "zh" and "en"; quarters are the newest first."""

    programmes: Mapping[str, Mapping[str, str]]
    districts: Mapping[int, Mapping[str, str]]
    frozen_at: Mapping[str, str]
    rows: Mapping[str, Sequence[PublishedRow]]
    csv_digest: str

    def csv(self) -> bytes:
        """The CSV file, of which the document holds the digest."""
        return _csv(self.programmes, self.districts, self.rows)


def sign_due(db: Session, branch: Branch, *, anew: bool = False) -> bool:
    """Sign and store the figures where they changed or were signed a day ago, and tell whether so. For the worker alone.

    anew: sign them in any case, because the key has changed. Raises DomainError when the signing key is not available.
    """
    table = SignedTable(PURPOSE, MEDIA_TYPE, PATH)
    return signed_tables.sign_due(db, branch, table, _content(db), anew=anew)


def _content(db: Session) -> dict[str, Any]:
    frozen_at = {
        Quarter(row.year, row.quarter): row.frozen_at
        for row in db.scalars(select(FrozenQuarter).order_by(FrozenQuarter.year.desc(), FrozenQuarter.quarter.desc()))
    }
    stored = frozen_figures.stored(db, list(frozen_at)) if frozen_at else {}
    programmes = {
        row.code: {"zh": row.name_zh, "en": row.name_en}
        for row in db.scalars(select(Programme).order_by(Programme.position))
    }
    districts = {
        row.id: {"zh": row.name_zh, "en": row.name_en} for row in db.scalars(select(District).order_by(District.id))
    }
    rows = {
        str(quarter): [
            PublishedRow(place.programme, place.district, _published(figures))
            for place, figures in sorted(stored.get(quarter, {}).items())
            if place.month == WHOLE_QUARTER
        ]
        for quarter in frozen_at
    }
    return {
        "columns": ["programme", "district", *FIGURES],
        "programmes": [{"code": code, "name": name} for code, name in programmes.items()],
        "districts": [{"number": number, "name": name} for number, name in districts.items()],
        "quarters": [
            {
                "quarter": str(quarter),
                "frozenAt": moment.isoformat(),
                "rows": [[row.programme, row.district, *row.figures] for row in rows[str(quarter)]],
            }
            for quarter, moment in frozen_at.items()
        ],
        "csv": CSV_PATH,
        "csvSha256": hashlib.sha256(_csv(programmes, districts, rows)).hexdigest(),
    }


def _published(figures: QuarterFigures) -> list[int]:
    return [int(getattr(figures, name)) for name in FIGURES]


def _csv(
    programmes: Mapping[str, Mapping[str, str]],
    districts: Mapping[int, Mapping[str, str]],
    rows: Mapping[str, Sequence[PublishedRow]],
) -> bytes:
    text = io.StringIO()
    out = csv.writer(text, lineterminator="\r\n")
    out.writerow(CSV_COLUMNS)
    out.writerows(_csv_lines(programmes, districts, rows))
    return text.getvalue().encode("utf-8-sig")


def _csv_lines(
    programmes: Mapping[str, Mapping[str, str]],
    districts: Mapping[int, Mapping[str, str]],
    rows: Mapping[str, Sequence[PublishedRow]],
) -> Iterator[list[object]]:
    for quarter, of_quarter in rows.items():
        for row in of_quarter:
            programme = (
                [ALL, ""] if row.programme == ALL_PROGRAMMES else [row.programme, _zh(programmes, row.programme)]
            )
            district = [ALL, ""] if row.district == ALL_DISTRICTS else [row.district, _zh(districts, row.district)]
            yield [quarter, *programme, *district, *row.figures]


def _zh(names: Mapping[Any, Mapping[str, str]], key: object) -> str:
    return names[key]["zh"] if key in names else ""


@lru_cache(2)
def read(document: str) -> PublishedFigures:
    """Read a document that this system signed and stored. Its signature is for others, and is not verified here."""
    claims = json.loads(jws.unbase64(document.split(".")[1]))
    return PublishedFigures(
        programmes={entry["code"]: entry["name"] for entry in claims["programmes"]},
        districts={entry["number"]: entry["name"] for entry in claims["districts"]},
        frozen_at={entry["quarter"]: entry["frozenAt"] for entry in claims["quarters"]},
        rows={
            entry["quarter"]: [PublishedRow(row[0], row[1], row[2:]) for row in entry["rows"]]
            for entry in claims["quarters"]
        },
        csv_digest=claims["csvSha256"],
    )
