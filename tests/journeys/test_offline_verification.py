"""The page that verifies with no network: valid, forged, revoked, and the name, all in the browser."""

from time import monotonic, sleep
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import text

from certificates.payload import digits_of
from tests.journeys.conftest import Site, Visit
from tests.journeys.relay import relay
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


def test_the_page_comes_back_while_the_server_is_switched_off(site: Site, visit: Visit) -> None:
    """The service worker keeps page, keys and lists: a reload with nothing at the address still verifies."""
    with site.engine.connect() as connection:
        good = connection.execute(
            text(
                "SELECT payload, holder_name FROM certificate WHERE revoked_at IS NULL AND superseded_by_id IS NULL"
                " AND valid_until > now() AND issued_on <= now() ORDER BY id DESC LIMIT 1"
            )
        ).one()
    kept = "caches.open('verify-offline-1').then((cache) => cache.match('/status/superseded/0')).then(Boolean)"
    with relay(site.url) as front:
        page = visit(viewport=PHONE, base_url=front.url)
        page.goto("/verify/offline")
        expect(page.locator("[data-told=yes]")).to_be_visible()
        page.wait_for_function(f"() => {kept}")
        front.close()
        with pytest.raises(URLError):
            urlopen(f"{front.url}/healthz", timeout=5)
        page.reload()
        expect(page.locator("[data-told=yes]")).to_be_visible()
        page.fill("#code", digits_of(good.payload))
        page.fill("#name", good.holder_name)
        page.click("form button[type=submit]")
        expect(page.locator("[data-verdict] h2")).to_have_text("有效")
        expect(page.locator("[data-name].yes")).to_be_visible()
        # This browser has no reader of its own for QR codes, and the page says which have one.
        assert not page.evaluate("'BarcodeDetector' in window")
        expect(page.locator("[data-no-camera]")).to_contain_text("Chrome")
        expect(page.locator("[data-scan]")).to_be_hidden()
