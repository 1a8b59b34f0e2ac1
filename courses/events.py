"""Events of courses to which other packages react. Rules publish them, and `lms.app` maps each to its reactions."""

from dataclasses import dataclass


@dataclass(frozen=True)
class OfferingClosed:
    """An offering was closed, or corrected after its closing: certificates may be due."""

    offering_id: int


@dataclass(frozen=True)
class NameDecided:
    """A writing was recorded for a name that cannot be printed: the certificate that waits for it can be issued."""

    enrolment_id: int


@dataclass(frozen=True)
class ExportRequested:
    """A user ordered an export that a worker has to make."""

    export_id: int


@dataclass(frozen=True)
class ImportRequested:
    """A user asked for an import to be checked, run, resumed or undone by a worker."""

    import_id: int


@dataclass(frozen=True)
class PeopleIdentified:
    """ID numbers of people were recorded or corrected, or their phones proven: older records may be theirs."""

    trainee_ids: tuple[int, ...]
