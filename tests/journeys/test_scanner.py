"""Scanning tickets in the page: a camera that plays tickets, the decoder in its worker, and no network."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from benchmarks.ticket_pictures import WAYS, write_video
from courses.models.enrolment import open_ticket
from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, Basement
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")

FOREIGN, UNKNOWN = "https://example.org/menu", "x" * 22
# No reader of the browser's own, as in nearly every phone in China; each result that the page says is listed.
WITHOUT_READER = """
  delete window.BarcodeDetector;
  document.addEventListener("DOMContentLoaded", () => {
    const list = document.createElement("ol");
    document.body.append(list);
    list.id = "results";
    const place = document.querySelector("[data-scan-result]");
    const note = () => list.append(Object.assign(document.createElement("li"), { textContent: place.textContent }));
    if (place) new MutationObserver(note).observe(place, { childList: true });
  });
"""
REFUSE = """(name) => {
  navigator.mediaDevices.getUserMedia = async () => { throw new DOMException("", name); };
}"""


def tickets_of_the_missing(basement: Basement, number: int) -> list[tuple[int, str]]:
    """Enrolments of people who are missing, with their tickets."""
    query = """SELECT e.id, e.ticket_hash, e.ticket_sealed FROM enrolment e
               LEFT JOIN attendance a ON a.enrolment_id = e.id WHERE a.enrolment_id IS NULL ORDER BY e.id LIMIT :number"""
    with basement.engine.connect() as connection:
        rows = connection.execute(text(query), {"number": number}).all()
    return [(enrolment_id, open_ticket(*sealed)) for enrolment_id, *sealed in rows]


def opened(phone: Phone, basement: Basement) -> Page:
    """The roster in a phone whose user has signed in, ready for no network."""
    sign_in(phone.context.new_page(), Account("instructor", LOGIN, PASSWORD))
    phone.context.add_init_script(WITHOUT_READER)
    page = phone.page(basement.address)
    expect_ready(page)
    return page


@pytest.fixture
def shown(basement: Basement) -> list[tuple[int, str]]:
    """Whose tickets the camera plays: one in each way."""
    return tickets_of_the_missing(basement, len(WAYS))


@pytest.fixture
def phone(browser: Browser, basement: Basement, shown: list[tuple[int, str]], tmp_path: Path) -> Iterator[Phone]:
    """A phone whose camera plays the tickets, a code that is no ticket, and a ticket that no roster has."""
    video = tmp_path / "tickets.y4m"
    texts = [f"{basement.running.url}/tickets/{ticket}" for _, ticket in shown]
    write_video(video, [FOREIGN, *texts, UNKNOWN], frames=3)
    made = Phone(browser.browser_type, tmp_path / "profile", basement.running.url, camera=video)
    yield made
    made.off()


def test_the_camera_checks_in_ticket_after_ticket_without_a_network(
    basement: Basement, phone: Phone, shown: list[tuple[int, str]]
) -> None:
    page = opened(phone, basement)
    before = basement.present
    phone.context.set_offline(True)
    page.reload()
    page.locator("[data-scan]").click()
    page.locator("dialog[open] [data-dismiss]").click()  # while the camera opens
    page.locator("[data-scan]").click()
    for enrolment_id, _ in shown:
        expect(page.locator(f"[data-enrolment='{enrolment_id}']")).to_have_attribute("data-present", "yes")
    results = page.locator("#results")
    expect(results).to_contain_text("留待审核")
    expect(results).to_contain_text("不是本系统的")
    for enrolment_id, _ in shown:
        name = page.locator(f"[data-enrolment='{enrolment_id}']").get_attribute("data-name")
        expect(results.get_by_text(f"{name}已签到。", exact=True).first).to_be_attached()

    page.evaluate("window.track = document.querySelector('[data-video]').srcObject.getVideoTracks()[0]")
    page.locator("dialog[open] [data-dismiss]").click()
    page.wait_for_function("track.readyState == 'ended'")  # the dialog's "close" event follows the click
    phone.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before + len(shown)


def test_why_nothing_can_be_scanned_is_said_with_what_to_do(basement: Basement, phone: Phone) -> None:
    page = opened(phone, basement)
    said = page.locator("[data-scan-result]")
    page.evaluate("document.querySelector('[data-decoder]').dataset.decoder = ''")  # as where none is installed
    page.locator("[data-scan]").click()
    expect(said).to_contain_text("改为拍摄凭证照片")
    page.locator("dialog[open] [data-dismiss]").click()
    for problem, words in (
        ("NotAllowedError", "在浏览器设置中允许"),
        ("NotFoundError", "没有摄像头"),
        ("NotReadableError", "其他应用占用"),
        ("TypeError", "改为拍照"),
    ):
        page.evaluate(REFUSE, problem)
        page.locator("[data-scan]").click()
        expect(said).to_contain_text(words)
        page.locator("dialog[open] [data-dismiss]").click()
