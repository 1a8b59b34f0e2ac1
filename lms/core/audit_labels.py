"""Labels of the audit trail: how the codes that `lms.core.audit` stores are shown to a reader.

The package that records an act owns its labels: it registers them in a module `audit_labels`, which the map in
`lms.app` imports. A test finds acts that the code records and that their own package gives no label.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True)
class AuditLabels:
    """Labels by code; each label is an English msgid.

    actions: verbs such as "trainee.change". nouns: the first half of a subject such as "trainee:17". fields: names of
    changed fields. values: codes that stand as a field's value, such as "cancelled". reports: the second half of
    "report:waiting". pages: noun → the endpoint that shows one such subject, and the name of the endpoint's argument
    for its number.
    """

    actions: Mapping[str, str] = field(default_factory=dict)
    nouns: Mapping[str, str] = field(default_factory=dict)
    fields: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)
    reports: Mapping[str, str] = field(default_factory=dict)
    pages: Mapping[str, tuple[str, str]] = field(default_factory=dict)


_registered: list[AuditLabels] = []


def register(labels: AuditLabels) -> None:
    """Add a package's labels, once, when its module is loaded."""
    _registered.append(labels)


def registered() -> AuditLabels:
    """All labels of all packages. Raises ValueError when two packages label one code differently."""
    return merged(_registered)


def merged(parts: Iterable[AuditLabels]) -> AuditLabels:
    """Labels of several packages as one. Raises ValueError when two of them label one code differently."""
    labels: dict[str, dict[str, object]] = {kind.name: {} for kind in fields(AuditLabels)}
    for part in parts:
        for kind, known in labels.items():
            for code, label in getattr(part, kind).items():
                if known.setdefault(code, label) != label:
                    raise ValueError(f"{kind}: {code!r} is labelled {known[code]!r} and {label!r}")
    return AuditLabels(**labels)  # type: ignore[arg-type]
