"""The register of organisations: kept by its district, on record."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import Session

from lms.accounts.models import User
from lms.core.audit import AuditEntry
from lms.core.errors import Denied, DomainError
from lms.core.scope import EVERYTHING, Role, Scope
from lms.organisations import register
from lms.organisations.models import Organisation, Sector
from lms.organisations.register import OrganisationFacts, OrganisationFilter
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
DISTRICT_1 = Scope(district_ids=frozenset({1}))
FACTS = OrganisationFacts("景山学校", "Jingshan School", 1, Sector.SCHOOL)


def test_entered_changed_and_taken_out_of_use_on_record(make: Make, sign_in: SignIn, db: Session) -> None:
    browser = sign_in(make.user(Role.DISTRICT_ADMINISTRATOR))
    facts = {"name_zh": "景山学校", "name_en": "", "district_id": "1", "sector": "school"}
    assert browser.post("/organisations/new", data=facts).status_code == 302
    row = db.scalars(select(Organisation).where(Organisation.name_zh == "景山学校")).one()
    page = f"/organisations/{row.id}"
    assert browser.post(page, data=facts | {"name_en": "Jingshan School"}).status_code == 302
    assert browser.post(f"{page}/deactivate", data={"reason": ""}).status_code == 422
    assert browser.post(f"{page}/deactivate", data={"reason": "合并"}).status_code == 302
    assert "景山学校" not in browser.get("/organisations/").text
    assert "景山学校" in browser.get("/organisations/?state=inactive").text
    assert browser.post(f"{page}/reactivate").status_code == 302
    entries = db.scalars(
        select(AuditEntry).where(AuditEntry.subject == f"organisation:{row.id}").order_by(AuditEntry.id)
    ).all()
    assert [entry.action for entry in entries] == ["organisation.add", *["organisation.change"] * 3]
    assert entries[1].before == {"name_en": None}
    assert (entries[2].after, entries[2].reason) == ({"active": False}, "合并")


def test_a_district_enters_none_elsewhere(db: Session, make: Make) -> None:
    own = make.organisation(1)
    with pytest.raises(Denied):
        register.add(db, OrganisationFacts("别处", None, 2, Sector.SCHOOL), DISTRICT_1)
    with pytest.raises(Denied):
        register.change(db, own, OrganisationFacts("别处", None, 2, Sector.SCHOOL), DISTRICT_1)


def test_a_name_stands_once_in_a_district(db: Session) -> None:
    row = register.add(db, FACTS, EVERYTHING)
    with pytest.raises(DomainError) as refusal:
        register.add(db, FACTS, EVERYTHING)
    assert refusal.value.code == "organisation_known"
    register.add(db, OrganisationFacts("景山学校", None, 2, Sector.SCHOOL), EVERYTHING)
    register.change(db, row, FACTS, EVERYTHING)


def test_the_list_is_narrowed_and_scoped(db: Session, make: Make) -> None:
    school = register.add(db, FACTS, EVERYTHING)
    there = make.organisation(2, name_zh="景山社区")

    def found(scope: Scope = EVERYTHING, **wanted: object) -> set[Organisation]:
        return set(register.listing(db, scope, OrganisationFilter(**wanted), 1).rows)  # type: ignore[arg-type]

    assert found(text="景山") == {school, there}
    assert found(text="jingshan") == {school}
    assert found(text="景山", district_id=2) == {there}
    assert found(text="景山", sector=Sector.SCHOOL) == {school}
    assert found(DISTRICT_1, text="景山") == {school}
    assert found(Scope(), text="景山") == set()


def test_an_auditor_reads_and_finds_no_buttons(make: Make, sign_in: SignIn, db: Session) -> None:
    make.organisation(2, name_zh="景山社区")
    page = sign_in(make.user(Role.AUDITOR)).get("/organisations/").text
    assert "景山社区" in page
    assert "/organisations/new" not in page
