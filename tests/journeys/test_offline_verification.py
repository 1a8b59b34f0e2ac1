"""The page that verifies with no network: valid, forged, revoked, and the name, all in the browser."""

from pathlib import Path
from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import text

from benchmarks.ticket_pictures import write_video
from certificates.payload import digits_of
from tests.journeys.conftest import Site, Visit
from tests.journeys.device import Phone
from tests.journeys.relay import Relay, relay
from tests.journeys.screens import PHONE


def codes(site: Site, office: Page) -> tuple[str, str, str, str]:
    """A valid code and its holder's name, a flipped one, and one that the office revokes, once its list says so."""
    query = (
        "SELECT payload, holder_name, id, now() FROM certificate WHERE revoked_at IS NULL AND superseded_by_id IS NULL"
        " AND valid_until > now() AND issued_on <= now() ORDER BY id LIMIT 2"
    )
    with site.engine.connect() as connection:
        good, other = connection.execute(text(query)).all()
    office.goto(f"/certificates/{other.id}")
    office.locator("details summary").filter(has_text="撤销").click()
    office.get_by_label("原因").fill("发错人")
    office.get_by_role("button", name="撤销").click()
    deadline = monotonic() + 120
    signed = "SELECT count(*) FROM status_list WHERE purpose = 'revocation' AND made_at > :began"
    while monotonic() < deadline:
        with site.engine.connect() as connection:
            if connection.execute(text(signed), {"began": other.now}).scalar_one():
                break
        sleep(0.5)
    code = digits_of(good.payload)
    flipped = code[:-1] + str((int(code[-1]) + 1) % 10)
    return code, good.holder_name, flipped, digits_of(other.payload)


def test_once_loaded_the_page_verifies_without_a_network(site: Site, visit: Visit) -> None:
    code, name, flipped, revoked = codes(site, visit("city_administrator"))
    for language, words in (("zh-CN", ("有效", "伪造", "已撤销")), ("en-GB", ("Valid", "Forged", "Revoked"))):
        page = visit(viewport=PHONE, language=language)
        page.goto("/verify/offline")
        expect(page.locator("[data-told=yes]")).to_be_visible()
        page.context.set_offline(True)

        def ask(digits: str, who: str = "", page: object = page) -> None:
            page.fill("#code", digits)  # type: ignore[attr-defined]
            page.fill("#name", who)  # type: ignore[attr-defined]
            page.click("form button[type=submit]")  # type: ignore[attr-defined]

        heading = page.locator("[data-verdict] h2")
        ask(f"{site.url}/v/{code}", name)
        expect(heading).to_have_text(words[0])
        expect(page.locator("[data-name].yes")).to_be_visible()
        ask(code, "无名氏")
        expect(page.locator("[data-name].no")).to_be_visible()
        ask(flipped)
        expect(heading).to_have_text(words[1])
        ask(revoked)
        expect(heading).to_have_text(words[2])
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


VALID = (
    "SELECT payload, holder_name FROM certificate WHERE revoked_at IS NULL AND superseded_by_id IS NULL"
    " AND valid_until > now() AND issued_on <= now() ORDER BY id DESC LIMIT :number"
)


def valid_codes(site: Site, number: int) -> list[tuple[str, str]]:
    """Codes of valid certificates, each with its holder's name."""
    with site.engine.connect() as connection:
        return [
            (digits_of(row.payload), row.holder_name) for row in connection.execute(text(VALID), {"number": number})
        ]


def switch_off(front: Relay) -> None:
    """Take the address away."""
    front.close()
    with pytest.raises(URLError):
        urlopen(f"{front.url}/healthz", timeout=5)


def wait_until_kept(page: Page, address: str) -> None:
    """Wait until the browser keeps an address. (`wait_for_function` takes a promise for a yes, and does not wait for it.)"""
    deadline = monotonic() + 30
    while not page.evaluate("(address) => caches.match(address).then(Boolean)", address):
        assert monotonic() < deadline, f"{address} is not kept"
        sleep(0.1)


def test_scanned_codes_are_answered_while_the_server_is_switched_off(site: Site, visit: Visit) -> None:
    """The service worker keeps page, keys and lists: with nothing at the address each scanned code has its verdict."""
    (code, name), (other, _) = valid_codes(site, 2)
    flipped = code[:-1] + str((int(code[-1]) + 1) % 10)
    with relay(site.url) as front:
        page = visit(viewport=PHONE, base_url=front.url)
        page.goto("/verify/offline")
        expect(page.locator("[data-kept=yes]")).to_be_visible()
        switch_off(front)
        heading, fact = page.locator("[data-verdict] h2"), page.locator("[data-fact=number]")
        page.reload()
        page.fill("#code", code)
        page.fill("#name", name)
        page.click("form button[type=submit]")
        expect(heading).to_have_text("有效")
        expect(page.locator("[data-name].yes")).to_be_visible()
        numbers = set()
        for path in (code, f"{other}/", f"{code}%E3%80%82）", f"%20{other[:90]}%20{other[90:]}?utm_source=wechat"):
            page.goto(f"/v/{path}")
            expect(heading).to_have_text("有效")
            expect(page.locator("[data-away]")).to_be_visible()
            expect(page.locator("[data-verdict] p")).to_contain_text("状态数据截至")
            numbers.add(fact.text_content())
        assert len(numbers) == 2
        page.goto(f"/v/{flipped}")
        expect(heading).to_have_text("伪造")
        expect(page.locator("[data-signed]")).to_be_hidden()
        page.goto(f"/v/{code[:-3]}")
        expect(heading).to_have_text("无法识读")
        page.goto(f"/v/{code}")
        page.locator("a.language").click()
        expect(heading).to_have_text("Valid")
        assert page.evaluate("document.documentElement.lang") == "en"
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        kept = page.evaluate(
            "async () => (await Promise.all((await caches.keys()).map(async (name) => "
            "(await (await caches.open(name)).keys()).map(({ url }) => url)))).flat()"
        )
        assert len(kept) > 10
        assert [address for address in kept if "/v/" in address or code[:20] in address] == []
        # This browser has neither a camera nor a reader of its own, and the page says what to do.
        assert not page.evaluate("'BarcodeDetector' in window")
        page.locator("[data-scan]").click()
        expect(page.locator("[data-camera]")).to_contain_text("no camera")


def test_whoever_scanned_one_code_online_may_scan_the_next_without_a_network(site: Site, visit: Visit) -> None:
    (code, _), (other, _) = valid_codes(site, 2)
    with relay(site.url) as front:
        page = visit(viewport=PHONE, base_url=front.url, language="en-GB")
        page.goto(f"/v/{code}")
        expect(page.locator("h1")).to_have_text("Valid")
        wait_until_kept(page, "/verify/offline/moment")  # the last that is kept
        switch_off(front)
        page.goto(f"/v/{other}")
        expect(page.locator("[data-verdict] h2")).to_have_text("Valid")
        page.goto("/verify")
        expect(page.locator("[data-told=yes]")).to_be_visible()


OWN_READER = """window.BarcodeDetector = class {
  static getSupportedFormats = async () => ["qr_code"];
  detect = async () => [{ rawValue: %r }];
};"""


@pytest.mark.parametrize("has_reader", [False, True])
def test_the_camera_reads_a_certificate_without_a_network(
    site: Site, browser: Browser, tmp_path: Path, has_reader: bool
) -> None:
    """By the decoder that the page brings, as on nearly every phone in China, and by a browser's own reader."""
    [(code, _)] = valid_codes(site, 1)
    address = f"{site.url}/v/{code}"
    write_video(tmp_path / "certificate.y4m", [address, "https://example.org/menu"], frames=4)
    with relay(site.url) as front:
        phone = Phone(browser.browser_type, tmp_path / "profile", front.url, camera=tmp_path / "certificate.y4m")
        phone.context.add_init_script(OWN_READER % address if has_reader else "delete window.BarcodeDetector")
        page = phone.page("/verify/offline")
        expect(page.locator("[data-kept=yes]")).to_be_visible()
        switch_off(front)
        page.reload()
        expect(page.locator("[data-told=yes]")).to_be_visible()
        page.locator("[data-scan]").click()
        expect(page.locator("[data-verdict] h2")).to_have_text("有效")
        expect(page.locator("video")).to_be_hidden()
        phone.off()
