"""Labels of the audit trail: each act that the code records has a label, given by the package that records it."""

import re
from importlib import import_module
from pathlib import Path

import pytest
from flask import Flask

from lms.app import AUDIT_LABELS
from lms.config import ROOT
from lms.core import audit_labels
from lms.core.audit_labels import AuditLabels, merged

RECORDED = re.compile(r'audit\.record(?:_change)?\(\s*\w+,\s*"([a-z_]+\.[a-z_]+)"')


def owner(path: Path) -> str:
    """The folder of the nearest `audit_labels` module at or above a file."""
    folder = next((parent for parent in path.parents if (parent / "audit_labels.py").exists()), None)
    return "" if folder is None else folder.relative_to(ROOT).as_posix()


def recorded() -> set[tuple[str, str]]:
    """Each act that the code records by a literal code, with the folder that owns its labels."""
    return {
        (owner(path), action)
        for package in ("lms", "courses", "certificates", "instructors")
        for path in (ROOT / package).rglob("*.py")
        for action in RECORDED.findall(path.read_text("utf-8"))
    }


def test_every_recorded_act_has_a_label(app: Flask) -> None:
    assert ("lms/accounts", "user.disable") in recorded()
    assert {action for _owner, action in recorded()} - audit_labels.registered().actions.keys() == set()


def test_a_package_that_records_an_act_gives_its_label() -> None:
    labelled = {
        action
        for folder, action in recorded()
        if folder and f'"{action}": N_' in (ROOT / folder / "audit_labels.py").read_text("utf-8")
    }
    assert {action for folder, action in recorded() if folder} - labelled == set()


def test_each_module_of_labels_is_on_the_map() -> None:
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for package in ("lms", "courses", "certificates", "instructors")
        for path in (ROOT / package).rglob("audit_labels.py")
    }
    assert modules == {*AUDIT_LABELS, "lms.core.audit_labels"}
    assert all(import_module(module) for module in AUDIT_LABELS)


def test_two_packages_cannot_label_one_code_differently() -> None:
    same = AuditLabels(fields={"name": "Name"})
    assert merged([same, AuditLabels(fields={"name": "Name", "code": "Code"})]).fields == {
        "name": "Name",
        "code": "Code",
    }
    with pytest.raises(ValueError, match="'name' is labelled 'Name' and 'Title'"):
        merged([same, AuditLabels(fields={"name": "Title"})])
