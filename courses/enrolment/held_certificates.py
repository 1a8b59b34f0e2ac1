"""The certificates that people hold, as rules of `courses` ask for them.

Certificates are kept by a package above this one, which says here how they are read (`certificates/held.py`).
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True)
class Held:
    """A certificate that a person holds or held: in force or expired, and not revoked. `valid_until`: None without an end."""

    number: str
    certificate_type: int
    valid_until: date | None
    legacy: bool = False


class Provider(Protocol):
    """Reads what people hold, in one statement.

    The answer has, by trainee, the certificate of each of the `types` that ends last, the one with the latest end first; a
    certificate without an end comes before all. People who hold none of the types are not in it. on: as things were on that
    day. renewed_in: the id of an offering whose own certificates are passed over, so that what they renewed is found.
    """

    def __call__(
        self,
        db: Session,
        trainee_ids: Collection[int],
        types: Collection[int],
        *,
        on: date,
        renewed_in: int | None = None,
    ) -> Mapping[int, Sequence[Held]]: ...


class _Provided:
    """How certificates are read; set once at the start of the process."""

    by: Provider | None = None


def configure(provider: Provider) -> None:
    """Set how certificates are read. The application calls this once at its start."""
    _Provided.by = provider


def read(
    db: Session, trainee_ids: Collection[int], types: Collection[int], *, on: date, renewed_in: int | None = None
) -> Mapping[int, Sequence[Held]]:
    """Read what people hold, as `Provider` describes. Without people or types it needs no statement."""
    if not trainee_ids or not types:
        return {}
    if _Provided.by is None:
        raise RuntimeError("nothing was configured that reads certificates (held_certificates.configure)")
    return _Provided.by(db, trainee_ids, types, on=on, renewed_in=renewed_in)
