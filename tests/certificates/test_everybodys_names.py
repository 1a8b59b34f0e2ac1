"""Ten names as people have them, from every way in to the certificate in hand: nobody's name fails at printing."""

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from io import BytesIO

from flask.testing import FlaskClient
from pypdf import PdfReader
from sqlalchemy import select
from sqlalchemy.orm import Session

from certificates import issuing
from certificates.branch import Branch
from certificates.models import Certificate
from certificates.payload import digits_of
from courses.attendance import recording
from courses.enrolment import sheet_import
from courses.models.enrolment import Enrolment
from courses.models.trainees import Trainee
from lms.accounts.models import User
from lms.core import clock
from lms.core.scope import EVERYTHING, Role
from tests.courses.attendance.test_recording import happening
from tests.courses.enrolment.sheets import csv_of, receive
from tests.factories import Make
from tests.ten_names import TEN_NAMES


def says(pdf: bytes, name: str) -> bool:
    """True where the PDF gives the name back: as the text that stands for its pieces, or letter by letter."""
    pages = PdfReader(BytesIO(pdf)).pages
    spelled = ("\ufeff" + name).encode("utf-16-be").hex().upper().encode()
    contents = [content.get_data() for page in pages if (content := page.get_contents()) is not None]
    text = "".join(page.extract_text() for page in pages)
    return any(b"/ActualText<" + spelled in content for content in contents) or plain(name) in plain(text)


def plain(text: str) -> str:
    """The text without spaces and line breaks, which a reader of PDF places as it likes."""
    return re.sub(r"\s", "", text)


SignIn = Callable[[User], FlaskClient]


def test_ten_names_enter_by_form_and_list_are_certified_printed_and_verified(
    db: Session, make: Make, branch: Branch, sign_in: SignIn, client: FlaskClient
) -> None:
    course = make.new_course(skills=0, hours=Decimal(1), pass_mark=None)
    offering = make.offering(course=course, starts=[clock.now() - timedelta(hours=2)], hours=1)
    city = sign_in(make.user(Role.CITY_ADMINISTRATOR))
    db.commit()
    for number, name in enumerate(TEN_NAMES[:5]):
        facts = {"name": name, "phone": f"1381234560{number}"}
        assert city.post(f"/offerings/{offering.id}/enrolments/new", data=facts).status_code == 302
    rows = [f"{name},1381234561{number},,,,,," for number, name in enumerate(TEN_NAMES[5:])]
    sheet_import.apply(db, receive(db, make, csv_of(*rows), offering), EVERYTHING)
    assert set(db.scalars(select(Trainee.name))) == set(TEN_NAMES)
    page = city.get(f"/sessions/{offering.sessions[0].id}/close").text
    assert 'id="unprintable"' not in page
    for enrolment in db.scalars(select(Enrolment)):
        recording.record(db, happening(enrolment), now=clock.now())
    db.commit()
    seen = re.search(r'name="seen"[^>]*value="(\w+)"', city.get(f"/sessions/{offering.sessions[0].id}/close").text)
    assert seen is not None
    assert city.post(f"/sessions/{offering.sessions[0].id}/close", data={"seen": seen[1]}).status_code == 302
    assert issuing.issue_owed(db, branch) == len(TEN_NAMES)
    db.commit()
    for certificate in db.scalars(select(Certificate)):
        ticket = f"/tickets/{certificate.enrolment.ticket}"
        for document in ("certificate.pdf", "card.pdf"):
            assert says(client.get(f"{ticket}/{document}").data, certificate.holder_name)
        assert client.get(f"{ticket}/certificate.png").mimetype == "image/png"
        answer = client.post(f"/v/{digits_of(certificate.payload)}", data={"name": certificate.holder_name})
        assert 'class="answer yes"' in answer.text
