"""Merges on the page of a person and in the audit trail."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from courses.merging import trainee_section
from lms.core.scope import EVERYTHING
from tests.courses.merging.test_merging import merge
from tests.factories import Make


@pytest.mark.parametrize("subject", ["trainee:x", "offering:1", "trainee:²", "trainee", f"trainee:{10**30}"])
def test_other_subjects_have_no_former_ones(db: Session, subject: str) -> None:
    assert trainee_section.former_subjects(db, subject) == []


def test_a_merge_is_listed_until_it_is_undone(app: Flask, db: Session, make: Make) -> None:
    kept, merged = make.trainee("张三"), make.trainee("张三")
    row = merge(db, kept, merged)
    assert [(line.merge, line.by) for line in trainee_section.merges_of(db, kept, EVERYTHING)] == [(row, None)]
    assert trainee_section.former_subjects(db, f"trainee:{kept.id}") == [f"trainee:{merged.id}"]
