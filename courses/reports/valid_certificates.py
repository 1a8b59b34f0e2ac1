"""The number of certificates valid on a day, which the indicators page shows.

The package `certificates` owns this number and stands above `courses`, which must not import it. So
`certificates.valid_counts` registers its function here when it is loaded, as the kinds of import do in
`courses.imports.kinds`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy.orm import Session

from lms.core.scope import Scope


@dataclass(frozen=True)
class ValidCertificates:
    """Valid certificates by the district of their training, and legacy ones.

    legacy: certificates from before this system. They name no district, so readers of the whole branch see all of them,
    and others those of the people whom they see. Whoever has another valid certificate of the type is not counted again.
    """

    by_district: Mapping[int, int]
    legacy: int

    @property
    def total(self) -> int:
        """All valid certificates."""
        return sum(self.by_district.values()) + self.legacy


ValidCertificatesCounter = Callable[[Session, date, Scope], ValidCertificates]

_counters: list[ValidCertificatesCounter] = []


def register(counter: ValidCertificatesCounter) -> ValidCertificatesCounter:
    """Make `counter` the function that counts, once, when its module is loaded. Usable as a decorator."""
    _counters[:] = [counter]
    return counter


def count(db: Session, day: date, scope: Scope) -> ValidCertificates:
    """Count the certificates in the scope that are valid on a day. Raises LookupError while nobody has registered."""
    if not _counters:
        raise LookupError("no module has registered the function that counts valid certificates")
    return _counters[0](db, day, scope)
