"""Events of certificates that other modules react to."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CertificatesOwed:
    """A chunk was issued and more certificates may be owed: of one offering, or of any (None)."""

    offering_id: int | None


@dataclass(frozen=True)
class ReissueOwed:
    """A correction is owed; the worker has to sign it."""


@dataclass(frozen=True)
class BadgeOwed:
    """A holder asked for a badge, or more badges are owed than one chunk."""


@dataclass(frozen=True)
class WalletPassOwed:
    """A holder asked for a pass for a wallet, or more passes are owed than one chunk."""


@dataclass(frozen=True)
class StatusChanged:
    """A certificate was revoked, restored or superseded: the signed status lists are out of date."""


@dataclass(frozen=True)
class ListOwed:
    """A long list was sent to be verified, or a piece of one was and another waits."""
