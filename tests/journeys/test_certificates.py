"""Journeys of a certificate after it was issued: printed with its offering, shared, exported as a badge, renewed."""

import re
from io import BytesIO
from zoneinfo import ZoneInfo

import pypdfium2
import pytest
from openbadgeslib.ob3.ldp import OB3LdpVerifier
from PIL import Image
from playwright.sync_api import expect
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates.models import Certificate, IssuerKey
from courses.counting import person_time
from courses.models.catalogue import Course
from courses.models.enrolment import Enrolment, EnrolmentState
from courses.models.offerings import Offering
from instructors.models import Instructor
from lms.core import clock
from tests.certificates.conftest import closed_offering
from tests.certificates.keys.test_issuer_keys import pem
from tests.factories import Make
from tests.journeys.conftest import BUSY_LEAD, Site, Visit
from tests.journeys.screens import PHONE


@pytest.fixture(scope="module")
def renewed(site: Site) -> int:
    """The id of a certificate whose renewal is owed since a refresher was closed."""
    with Session(site.engine) as db:
        old = db.scalars(
            select(Certificate)
            .where(Certificate.revoked_at.is_(None), Certificate.superseded_by_id.is_(None))
            .join(Enrolment, Enrolment.id == Certificate.enrolment_id)
            .join(Offering, Offering.id == Enrolment.offering_id)
            .where(Certificate.replaces_id.is_(None), Certificate.certificate_type == 1)
            .where(Offering.district_id != 6)  # whose figures another story counts
            .where(
                Offering.lead_instructor.has(Instructor.registration_number != BUSY_LEAD)
            )  # who is free for another story
            .order_by(Certificate.id.desc())
            .limit(1)
        ).one()
        refresher = db.scalars(
            select(Course).where(Course.refresher, Course.certificate_type == old.certificate_type).limit(1)
        ).one_or_none()
        make = Make(db)
        course = refresher or make.new_course(refresher=True, certificate_type=old.certificate_type)
        taught = old.enrolment.offering
        offering = closed_offering(
            make, course, organisation=taught.organisation, lead=taught.lead_instructor, starts=[clock.now()]
        )
        # Nobody is written as present: the other stories find a ledger that agrees with the enrolments.
        make.enrolment(offering, old.enrolment.trainee, EnrolmentState.COMPLETED, certificate_due=True)
        for meeting in offering.sessions:
            meeting.closed_at = clock.now()
        db.flush()
        person_time.record_closing(db, offering, ZoneInfo("Asia/Shanghai"))
        db.commit()
        return old.id


def held(site: Site) -> tuple[str, int, int]:
    """A ticket whose certificate stands, the certificate, and its offering."""
    with Session(site.engine) as db:
        found = db.execute(
            select(Enrolment.ticket_hash, Enrolment.ticket_sealed, Certificate.id, Enrolment.offering_id)
            .join(Certificate, Certificate.enrolment_id == Enrolment.id)
            .join(Offering, Offering.id == Enrolment.offering_id)
            .where(Certificate.revoked_at.is_(None), Certificate.superseded_by_id.is_(None))
            .order_by(Certificate.id)
            .offset(40)
            .limit(1)
        ).one()
        return site.ticket(found.ticket_hash, found.ticket_sealed), found.id, found.offering_id


def test_an_offerings_certificates_are_printed(site: Site, visit: Visit, renewed: int) -> None:
    _ticket, _certificate, offering = held(site)
    office = visit("city_administrator")
    office.goto(f"/certificates/printing/?offering={offering}")
    shown = re.search(r"(\d+)", office.locator("#issued").inner_text())
    assert shown is not None
    progress = office.locator("progress")
    assert progress.get_attribute("value") == shown[1]
    with office.expect_download() as download:
        office.get_by_role("link", name="一个 PDF").or_(office.locator("a[href*='certificates.pdf']")).first.click()
    document = pypdfium2.PdfDocument(download.value.path())
    assert len(document) == int(shown[1])
    document.close()


def test_a_badge_is_made_and_holds(site: Site, visit: Visit, renewed: int) -> None:
    ticket, _certificate, _offering = held(site)
    holder = visit(viewport=PHONE)
    holder.goto(f"/tickets/{ticket}/certificate")
    holder.locator("#badge summary").click()
    with holder.expect_download(timeout=60_000) as download:
        holder.locator("a[href$='badge.png']").click()
    picture = Image.open(BytesIO(download.value.path().read_bytes()))
    baked = picture.info["openbadgecredential"]
    with Session(site.engine) as db:
        key = db.scalars(select(IssuerKey).where(IssuerKey.kid == "badge-1")).one()
        assert OB3LdpVerifier(pem(key.public_key)).verify(str(baked))


def test_a_link_is_given_and_withdrawn(site: Site, visit: Visit, renewed: int) -> None:
    ticket, _certificate, _offering = held(site)
    holder = visit(viewport=PHONE)
    holder.goto(f"/tickets/{ticket}/certificate")
    holder.locator("form[action$='/shares'] button").click()
    address = holder.locator("#fresh").input_value()
    holder.context.grant_permissions(["clipboard-read", "clipboard-write"])
    holder.locator("#fresh ~ div [data-copy]").click()
    expect(holder.locator("#fresh ~ div [data-copy]")).to_contain_text("已复制")
    assert holder.evaluate("navigator.clipboard.readText()") == address
    employer = visit(viewport=PHONE)
    opened = employer.goto(address)
    assert opened is not None
    assert opened.status == 200
    holder.locator("form[action$='/withdraw'] button").first.click()
    expect(holder.locator("form[action$='/withdraw'] button")).to_have_count(0)
    gone = employer.goto(address)
    assert gone is not None
    assert gone.status in {404, 410}


def test_a_refreshers_certificate_takes_the_old_ones_place(site: Site, visit: Visit, renewed: int) -> None:
    office = visit("city_administrator")
    with Session(site.engine) as db:
        number = db.get_one(Certificate, renewed).number
    site.flask("certificates", "issue")  # an administrator does not wait for the worker's sweep
    office.goto(f"/certificates/{renewed}")
    expect(office.locator(".alert-info a").first).to_be_visible()
    stranger = visit(viewport=PHONE)
    with Session(site.engine) as db:
        old = db.get_one(Certificate, renewed)
        new = db.get_one(Certificate, old.superseded_by_id)
        assert new.replaces_id == old.id
        code = f"{int.from_bytes(old.payload, 'big'):0198d}"
    stranger.goto(f"/v/{code}")
    expect(stranger.locator("h1")).to_contain_text("已换发新证")
    stranger.locator("main a[href*='/v/']").first.click()
    expect(stranger.locator("h1")).to_contain_text("有效")
    expect(stranger.locator("main")).to_contain_text(new.number)
    office.goto(f"/certificates/{new.id}")
    expect(office.locator("main")).to_contain_text(number)
