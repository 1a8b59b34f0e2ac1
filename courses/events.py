"""What happens to offerings that others act on. Published by the rules here, mapped to reactions in `lms.app`."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OfferingClosed:
    """An offering was closed, or corrected after that: certificates may be due."""

    offering_id: int


@dataclass(frozen=True)
class ExportOwed:
    """Somebody asked for an export that a worker is to make."""

    export_id: int


@dataclass(frozen=True)
class ImportOwed:
    """Somebody asked for an import to be checked, run, resumed or undone."""

    import_id: int
