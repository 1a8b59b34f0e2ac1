"""What happens to certificates that others act on."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CertificatesOwed:
    """A chunk was issued and more may be owed: of one offering, or of any (None)."""

    offering_id: int | None


@dataclass(frozen=True)
class ReissueOwed:
    """A correction waits for the worker."""


@dataclass(frozen=True)
class BadgeOwed:
    """A holder asked for a badge, or more are owed than one chunk."""


@dataclass(frozen=True)
class StatusChanged:
    """A certificate was revoked, restored or superseded: the signed lists no longer say how things are."""
