"""A class of 40 with phones only: 20 reach the certificate by the hand-out, 20 by the code to the own phone."""

import io
import re
from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from http.cookiejar import CookieJar
from time import monotonic, sleep
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener
from uuid import uuid4

import pypdfium2
import zxingcpp
from axe_playwright_python.sync_playwright import Axe
from PIL import Image
from playwright.sync_api import Page, expect
from sqlalchemy.orm import Session

from courses.attendance import recording
from courses.attendance.check_ins import AttendanceInput
from courses.models.enrolment import Enrolment
from lms.core import clock, crypto
from tests.factories import Make
from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import PHONE
from tests.journeys.test_accessibility import SERIOUS

PEOPLE = 40
SECONDS = 60
FAMILY = 3  # so many people of the class gave one phone


class Browser:
    """A visitor's phone without scripts: cookies of its own, forms sent with their token."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._open = build_opener(HTTPCookieProcessor(CookieJar())).open
        self.page, self.address = "", ""

    def get(self, path: str) -> str:
        return self._read(path if path.startswith("http") else self._site.url + path, None)

    def send(self, path: str, **fields: str) -> str:
        token = re.search(r'name="csrf_token"[^>]* value="([^"]+)"', self.page)
        assert token, self.page
        return self._read(self._site.url + path, urlencode(fields | {"csrf_token": token[1]}).encode())

    def _read(self, address: str, body: bytes | None) -> str:
        with self._open(address, body, timeout=SECONDS) as answer:
            self.address, self.page = answer.geturl(), unescape(answer.read().decode())
        return self.page


def phone_of(number: int) -> str:
    return f"1990000{max(number, FAMILY - 1):04d}"


def taught_class(db: Session) -> tuple[int, int, list[str]]:
    """A class that is over, in which everybody was there. Returns the ids of offering and session, and the tickets."""
    make = Make(db)
    course = make.new_course(
        skills=0,
        pass_mark=None,
        code=f"FOUND-{uuid4().hex[:6]}",
        name_zh="社区急救",
        name_en="Community first aid",
        active=False,
    )
    offering = make.offering(
        course=course,
        organisation=make.organisation(name_zh="清风社区"),
        starts=[clock.now() - timedelta(hours=9)],
        hours=8,
        capacity=PEOPLE,
        by_invitation=True,
    )
    meeting = offering.sessions[0]
    rows: list[Enrolment] = []
    for number in range(PEOPLE):
        phone = f"+86{phone_of(number)}"
        row = make.enrolment(offering, make.trainee(f"学员{number:02d}", phone=phone, district_id=1))
        row.phone = phone
        rows.append(row)
    db.flush()
    arrivals = [
        AttendanceInput(uuid4(), meeting.id, enrolment_id=row.id, told_at=meeting.starts_at, offset_ms=0)
        for row in rows
    ]
    recording.record_all(db, arrivals, user_id=None, now=clock.now())
    db.commit()
    return offering.id, meeting.id, [row.ticket for row in rows]


def close(office: Page, session_id: int) -> None:
    office.goto(f"/sessions/{session_id}/close")
    for box in office.locator("form.panel input[type=checkbox]").all():
        box.check()
    office.locator("form.panel button.btn-lg").click()
    expect(office.get_by_role("link", name="现场领证二维码")).to_be_visible()


def printed_codes(office: Page, offering_id: int) -> list[str]:
    pdf = office.request.get(f"/certificates/offering/{offering_id}/hand-out.pdf").body()
    with pypdfium2.PdfDocument(pdf) as document:
        pictures = [page.render(scale=200 / 72).to_pil() for page in document]
    return [code.text for picture in pictures for code in zxingcpp.read_barcodes(picture) if code.valid]


def shown_codes(office: Page) -> Iterator[str]:
    """The codes on the screen, one after the other as the instructor shows them."""
    office.get_by_role("link", name="现场领证二维码").click()
    office.get_by_role("link", name="逐个出示二维码").click()
    for _ in range(2):
        (code,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(office.locator(".scan-code").screenshot())))
        yield code.text
        office.get_by_role("link", name=re.compile("下一位")).click()


def code_to(site: Site, phone: str) -> str:
    deadline = monotonic() + SECONDS
    while not site.codes(phone):
        assert monotonic() < deadline, phone
        sleep(0.1)
    return site.codes(phone)[-1]


def has_certificate(browser: Browser, site: Site, ticket: str) -> bool:
    return "/certificate.pdf" in browser.get(f"{site.url}/tickets/{ticket}/certificate")


def found_in_a_browser(visit: Visit, site: Site, phone: str) -> str:
    """Find a certificate again as a person does, and leave nothing behind. Returns the ticket."""
    page = visit(viewport=PHONE)
    page.goto("/")
    page.get_by_role("link", name="查找我的证书").click()
    page.locator("[name=contact]").fill(f"{phone[:3]} {phone[3:7]} {phone[7:]}")
    page.get_by_role("button", name="发送验证码").click()
    page.locator("[name=code]").fill(code_to(site, phone))
    page.get_by_role("button", name="确认").click()
    way = page.get_by_role("link", name=re.compile("打开证书"))
    expect(way).to_be_visible()
    assert [each["id"] for each in Axe().run(page).response["violations"] if each["impact"] in SERIOUS] == []
    ticket = str(way.get_attribute("href")).split("/")[2]
    way.click()
    expect(page.locator("a[href$='/certificate.pdf']").first).to_be_visible()
    page.goto("/my-certificate/")
    page.get_by_role("button", name="退出").click()
    expect(page.locator("[name=contact]")).to_be_visible()
    return ticket


def test_of_forty_people_with_phones_only_forty_reach_their_certificate(site: Site, visit: Visit) -> None:
    crypto.configure(site.field_key)
    with Session(site.engine) as db:
        offering_id, session_id, tickets = taught_class(db)
    addresses = {f"{site.url}/tickets/{ticket}": ticket for ticket in tickets}

    # The lead closes. At once there are codes: on paper and on the screen, all of them different, each somebody's own.
    office = visit("city_administrator", viewport=PHONE)
    close(office, session_id)
    printed = printed_codes(office, offering_id)
    assert sorted(printed) == sorted(addresses)
    assert set(shown_codes(office)) < set(addresses)

    # One of them scans while certificates are still being made, and has only to wait.
    handed_out = [addresses[code] for code in printed if addresses[code] in tickets[20:]]
    first = visit(viewport=PHONE)
    first.goto(f"{site.url}/tickets/{handed_out[0]}")
    expect(first.locator("a[href$='/certificate']")).to_be_visible(timeout=SECONDS * 1000)
    office.goto(f"/certificates/offering/{offering_id}")
    expect(office.locator("#issued")).to_contain_text("40")
    expect(office.locator("#issuing[data-refresh]")).to_have_count(0, timeout=SECONDS * 1000)

    reached = {ticket for ticket in handed_out if has_certificate(Browser(site), site, ticket)}

    # The other twenty left without paper: the code goes to the phone, and the page shows what is theirs and nothing else.
    browsers = {}
    for number in range(FAMILY - 1, 19):
        browsers[number] = browser = Browser(site)
        browser.get("/my-certificate/")
        browser.send("/my-certificate/", contact=phone_of(number))
    for number, browser in browsers.items():
        browser.send(browser.address.removeprefix(site.url), code=code_to(site, phone_of(number)))
    for number, browser in browsers.items():
        names = [f"学员{number:02d}"] if number >= FAMILY else [f"学员{each:02d}" for each in range(FAMILY)]
        for name in names if len(names) > 1 else []:
            assert '/certificate"' not in browser.page or name != names[0]
            browser.send("/my-certificate/name", name=name)
        shown = re.findall(r'href="/tickets/([^/"]+)/certificate"', browser.page)
        assert len(shown) == len(names), names
        reached |= {ticket for ticket in shown if has_certificate(browser, site, ticket)}
    reached.add(found_in_a_browser(visit, site, phone_of(19)))
    assert len(reached) == PEOPLE
    assert [len(site.codes(phone_of(number))) for number in (*browsers, 19)] == [1] * (len(browsers) + 1)
