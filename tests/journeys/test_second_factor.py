"""The second factor in a real browser: a passkey of Chromium's virtual authenticator, an authenticator app, recovery codes.

Browsers bind passkeys to a name and to no IP address, so this system is reached as localhost.
"""

import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import time

import pyotp
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, CDPSession, Page, expect

from lms.accounts import totp
from tests.journeys.conftest import Account
from tests.journeys.running import Running, flask
from tests.journeys.screens import DESK, PATIENCE, PHONE

PASSWORD = "teach first aid in Dongcheng"
Open = Callable[..., Page]


@pytest.fixture(scope="module")
def guarded() -> Iterator[Running]:
    """A system without demo data that demands a second factor."""
    folder = Path(tempfile.mkdtemp(prefix="lms-factor-"))
    folder.chmod(0o711)
    running = Running(folder / "instance", name="localhost", SECOND_FACTOR="demanded", LMS_DEMO="0")
    running.start()
    yield running
    running.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def opened(browser: Browser, guarded: Running) -> Iterator[Open]:
    """Open a browser of somebody's own; a script error on any page fails the test."""
    contexts: list[BrowserContext] = []
    faults: list[str] = []

    def open_page(**more: object) -> Page:
        more = {"viewport": PHONE, "locale": "zh-CN"} | more
        context = browser.new_context(base_url=guarded.url, **more)  # type: ignore[arg-type]
        context.set_default_timeout(PATIENCE)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert faults == []


def account(site: Running, name: str, role: str = "city_administrator") -> Account:
    """An account with a password."""
    secret = site.instance / "password"
    secret.write_text(f"{PASSWORD}\n")
    login = f"{name}@example.org"
    flask(
        site.instance, "user", "create", "--name", name, "--email", login, "--role", role, "--password-file", str(secret)
    )  # fmt: skip
    return Account(role, login, PASSWORD)


def give_password(page: Page, person: Account) -> None:
    page.goto("/sign-in/")
    page.locator("[name=identifier]").fill(person.login)
    page.locator("[name=password]").fill(person.password)
    page.locator("main form button[type=submit]").first.click()


def sign_out(page: Page) -> None:
    page.goto("/account/")
    page.get_by_role("button", name="退出登录", exact=True).click()
    expect(page.get_by_role("link", name="登录", exact=True)).to_be_visible()


class Phone:
    """The virtual authenticator of a page's browser, whose owner always touches it."""

    def __init__(self, page: Page) -> None:
        self._devtools: CDPSession = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable")
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
        }
        self.id = self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})["authenticatorId"]

    def keys(self) -> list[dict[str, object]]:
        """The passkeys that the device holds."""
        found = self._devtools.send("WebAuthn.getCredentials", {"authenticatorId": self.id})
        return list(found["credentials"])


def test_a_passkey_is_set_up_and_signs_in(guarded: Running, opened: Open) -> None:
    """A coordinator's first sign-in on a phone, a second passkey on the same phone, which is one too many, and the next sign-in."""
    person = account(guarded, "chen")
    page = opened()
    phone = Phone(page)
    give_password(page, person)
    expect(page.get_by_role("heading", name="设置两步验证")).to_be_visible()
    page.goto("/users/")
    expect(page.get_by_role("heading", name="设置两步验证")).to_be_visible()
    page.get_by_label("通行密钥名称").fill("陈的手机")
    page.get_by_role("button", name="创建通行密钥").click()
    page.get_by_role("button", name="生成恢复码").click()
    expect(page.locator(".recovery-codes li")).to_have_count(10)
    assert len(phone.keys()) == 1
    page.get_by_role("link", name="我已保存，继续").click()
    expect(page).to_have_url(re.compile(r"/users/$"))
    page.goto("/account/second-factor/set-up")
    page.get_by_role("button", name="创建通行密钥").click()
    expect(page.locator("[data-passkey-trouble]")).to_have_text("此设备上已有您账号的通行密钥。")
    sign_out(page)

    give_password(page, person)
    expect(page.get_by_role("heading", name="登录第二步")).to_be_visible()
    page.get_by_role("button", name="使用通行密钥").click()
    expect(page.locator("header nav")).to_be_visible()
    page.goto("/account/second-factor")
    expect(page.get_by_text("陈的手机")).to_be_visible()
    expect(page.get_by_text("上次使用")).to_be_visible()


def test_another_device_does_not_answer_for_the_owners(guarded: Running, opened: Open) -> None:
    """Whoever has the password and a phone of their own does not come in, and is told in words."""
    person = account(guarded, "liu")
    page = opened()
    Phone(page)
    give_password(page, person)
    page.get_by_role("button", name="创建通行密钥").click()
    expect(page.get_by_role("button", name="生成恢复码")).to_be_visible()
    thief = opened()
    Phone(thief)
    give_password(thief, person)
    thief.get_by_role("button", name="使用通行密钥").click()
    expect(thief.locator("[data-passkey-trouble]")).to_have_text("操作已取消或超时。可以再试一次。")
    expect(thief.get_by_role("button", name="使用通行密钥")).to_be_enabled()
    thief.goto("/account/second-factor/app")
    expect(thief.get_by_role("heading", name="登录第二步")).to_be_visible()
    expect(thief.locator("header nav")).to_have_count(0)


def test_a_browser_without_passkeys_says_so_and_offers_the_app(guarded: Running, opened: Open) -> None:
    page = opened()
    page.add_init_script("delete window.PublicKeyCredential")
    give_password(page, account(guarded, "zhao"))
    expect(page.locator("[data-passkey-trouble]")).to_contain_text("此浏览器不支持通行密钥")
    expect(page.get_by_role("button", name="创建通行密钥")).to_be_hidden()
    expect(page.get_by_role("link", name="设置应用")).to_be_visible()


def test_an_authenticator_app_a_remembered_browser_and_a_recovery_code(guarded: Running, opened: Open) -> None:
    person = account(guarded, "wang", role="auditor")
    page = opened()
    give_password(page, person)
    page.get_by_role("link", name="设置应用").click()
    secret = page.locator("[data-secret]").get_attribute("data-secret")
    assert secret is not None
    expect(page.locator("img.totp-code")).to_be_visible()
    assert page.locator("img.totp-code").evaluate("picture => picture.naturalWidth") > 0
    app = pyotp.TOTP(secret)
    page.get_by_label("应用中的验证码").fill(app.now())
    page.get_by_role("button", name="设置", exact=True).click()
    page.get_by_role("button", name="生成恢复码").click()
    codes = page.locator(".recovery-codes li").all_inner_texts()
    page.get_by_role("link", name="我已保存，继续").click()
    sign_out(page)

    give_password(page, person)
    page.get_by_label("应用中的验证码").fill("12345")
    page.get_by_role("button", name="继续").click()
    expect(page.get_by_text("验证码不正确")).to_be_visible()
    # The code that set the app up counts no more; the one after it is accepted already.
    page.get_by_label("应用中的验证码").fill(app.at(int(time()) + totp.STEP_SECONDS))
    page.get_by_label("30 天内在此浏览器上不再验证").check()
    page.get_by_role("button", name="继续").click()
    expect(page.locator("header nav")).to_be_visible()
    sign_out(page)
    give_password(page, person)
    expect(page.locator("header nav")).to_be_visible()

    elsewhere = opened()
    give_password(elsewhere, person)
    elsewhere.get_by_text("以上方式都无法使用").click()
    elsewhere.get_by_label("恢复码", exact=True).fill(codes[0].upper().replace("-", " "))
    elsewhere.get_by_role("button", name="使用恢复码").click()
    expect(elsewhere.locator("header nav")).to_be_visible()
    elsewhere.goto("/account/second-factor")
    expect(elsewhere.get_by_text("剩余 9 个")).to_be_visible()
    elsewhere.get_by_role("button", name="所有浏览器重新验证").click()
    sign_out(page)
    give_password(page, person)
    expect(page.get_by_role("heading", name="登录第二步")).to_be_visible()


@pytest.mark.parametrize(("viewport", "locale"), [(PHONE, "zh-CN"), (DESK, "en-GB"), (PHONE, "en-GB")])
def test_axe_finds_nothing_on_the_pages(guarded: Running, opened: Open, viewport: dict[str, int], locale: str) -> None:
    person = account(guarded, f"zhou{viewport['width']}{locale[:2]}")
    page = opened(viewport=viewport, locale=locale)
    Phone(page)
    found: list[str] = []

    def look() -> None:
        violations = Axe().run(page).response["violations"]
        found.extend(f"{page.url}: {one['id']} {node['target']}" for one in violations for node in one["nodes"])
        assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"], page.url

    page.goto(f"/?lang={locale[:2]}")
    give_password(page, person)
    page.wait_for_url(re.compile("set-up"))
    look()
    page.goto("/account/second-factor/app")
    look()
    page.goto("/account/second-factor/set-up")
    page.locator("[data-passkey-button]").click()
    page.wait_for_url(re.compile("recovery-codes"))
    look()
    page.locator("main form button[type=submit]").click()
    page.locator(".recovery-codes").wait_for()
    look()
    page.goto("/account/second-factor")
    look()
    page.goto("/account/")
    look()
    page.locator("form[action='/account/sign-out'] button").click()
    page.locator("header a[href='/sign-in/']").wait_for()
    give_password(page, person)
    page.wait_for_url(re.compile("sign-in/second"))
    page.locator("details summary").click()
    look()
    assert found == []
