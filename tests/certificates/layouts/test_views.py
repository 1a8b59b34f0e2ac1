"""Pages of layouts: who may change them, the preview before saving, and the seals of units."""

from collections.abc import Callable
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from certificates.layouts import layouts
from certificates.layouts.wording import DEFAULT, IdDigits
from lms.accounts.models import User
from lms.core.scope import Role
from tests.certificates.layouts.test_pictures import png
from tests.factories import Make

SignIn = Callable[[User], FlaskClient]
TEXTS = {
    "title_zh": "结业证书", "title_en": "Certificate", "sentence_zh": "完成培训", "sentence_en": "has completed",
    "footer_zh": "", "footer_en": "", "colour": "#0B5D4E", "accent": "#c9a227", "id_digits": "last", "show_programme": "y",
}  # fmt: skip


@pytest.fixture
def city(make: Make, sign_in: SignIn) -> FlaskClient:
    return sign_in(make.user(Role.CITY_ADMINISTRATOR))


def test_a_layout_is_previewed_and_saved(city: FlaskClient, db: Session, make: Make) -> None:
    course = make.course()
    db.commit()
    page = city.get(f"/certificates/layouts/courses/{course.id}").text
    assert page.count("data:image/png;base64,") == 3
    for picture in ("a4", "front", "back"):
        drawn = city.post(f"/certificates/layouts/preview/{picture}/{course.id}", data=TEXTS)
        assert (drawn.status_code, drawn.mimetype) == (200, "image/png")
    assert city.post("/certificates/layouts/preview/nothing", data=TEXTS).status_code == 404
    refused = city.post("/certificates/layouts/preview/a4", data=TEXTS | {"colour": "#ffffff"})
    assert (refused.status_code, refused.mimetype) == (422, "text/plain")
    shown = city.post(f"/certificates/layouts/courses/{course.id}", data=TEXTS | {"preview": "1"})
    assert shown.status_code == 200
    assert layouts.wording_of(db, course.id) == (DEFAULT, False)
    assert city.post(f"/certificates/layouts/courses/{course.id}", data=TEXTS | {"colour": "#ff0"}).status_code == 422
    assert city.post(f"/certificates/layouts/courses/{course.id}", data=TEXTS | {"id_digits": "all"}).status_code == 422
    assert city.post(f"/certificates/layouts/courses/{course.id}", data=TEXTS).status_code == 302
    wording, own = layouts.wording_of(db, course.id)
    assert (wording.title_zh, wording.colour, wording.id_digits, wording.show_instructor, own) == (
        "结业证书", "#0b5d4e", IdDigits.LAST, False, True,
    )  # fmt: skip
    assert city.post(f"/certificates/layouts/courses/{course.id}/remove").status_code == 302
    assert layouts.wording_of(db, course.id) == (DEFAULT, False)
    assert city.post("/certificates/layouts/branch", data=TEXTS).status_code == 302
    assert layouts.wording_of(db, None)[1]


def test_a_seal_is_set_and_removed(city: FlaskClient, db: Session) -> None:
    def send(content: bytes, unit: int = 6) -> str:
        sent = {"unit": str(unit), "file": (BytesIO(content), "seal.png")}
        answer = city.post("/certificates/layouts/seals", data=sent)
        return city.get(answer.location).text if answer.status_code == 302 else answer.text

    assert "PNG" in send(b"<svg/>")
    assert layouts.seals(db) == {}
    assert city.get("/certificates/layouts/seals/6.png").status_code == 404
    send(png(300), 99)
    assert layouts.seals(db) == {}
    assert "/certificates/layouts/seals/6.png" in send(png(300))
    assert set(layouts.seals(db)) == {6}
    assert city.get("/certificates/layouts/seals/6.png").data == png(300)
    assert city.get("/certificates/layouts/branch").status_code == 200
    city.post("/certificates/layouts/seals/6/remove")
    assert layouts.seals(db) == {}


def test_districts_and_auditors_change_no_layout(make: Make, sign_in: SignIn) -> None:
    for user in (make.user(Role.DISTRICT_ADMINISTRATOR, district_id=1), make.user(Role.AUDITOR)):
        client = sign_in(user)
        assert client.get("/certificates/layouts/").status_code == 403
        assert client.post("/certificates/layouts/branch", data=TEXTS).status_code == 403
        assert client.post("/certificates/layouts/preview/a4", data=TEXTS).status_code == 403
