"""A session with no signal: the server really stopped, the browser really killed, and everything arrives once."""

import base64
import json
from base64 import urlsafe_b64decode
from time import monotonic

import pytest
from playwright.sync_api import Page, expect

from courses.attendance.devices.search_hashes import SearchKey
from lms.core.masks import mask_name
from lms.core.name_order import initials
from tests.journeys.basement import PEOPLE, Basement, tap, tap_fast
from tests.journeys.device import Phone, dump, expect_ready, expect_unsent

pytestmark = pytest.mark.xdist_group("basement")

TAPS = 200
SECONDS_TO_SEND = 10
# The roster is read before the events arrive, and comes back after they were answered.
LATE_ROSTER = """
  const real = window.fetch;
  const [read, answered] = [Promise.withResolvers(), Promise.withResolvers()];
  window.fetch = async (address, options) => {
    if (String(address).endsWith("/check-ins")) await read.promise;
    const response = await real(address, options);
    if (String(address).endsWith("/check-ins")) setTimeout(answered.resolve, 300);
    if (String(address).endsWith("/roster")) {
      read.resolve();
      await answered.promise;
    }
    return response;
  };
"""


def find_people(page: Page, basement: Basement) -> None:
    """Search without a network: the whole name, its initials and the last four digits find exactly those people."""
    search, found = page.locator("[data-search]"), page.locator(".person:not([hidden])")
    letters = [initials(name) for name in basement.names]
    for number in (0, 57, 239):
        for query, count in (
            (basement.names[number], 1),
            (letters[number].lower(), letters.count(letters[number])),
            (basement.phones[number][-4:], 1),
        ):
            search.fill(query)
            expect(found).to_have_count(count)
        expect(found.locator(".person-name").first).to_have_text(mask_name(basement.names[number]))
    for query in ("9999", "5", "*", "欧阳", basement.names[0][:2]):
        search.fill(query)
        expect(found).to_have_count(0)
    search.fill("王")
    expect(found).to_have_count(sum(name.startswith("王") for name in basement.names))
    # Those who look alike are told apart.
    hints = found.locator(".person-tap .person-tail", has_text="··")
    names = found.locator(".person-tap .person-name").all_inner_texts()
    told = list(zip(names, hints.all_inner_texts(), strict=True))
    assert len(set(told)) == len(told) > len(set(names))
    search.fill("")
    expect(found).to_have_count(PEOPLE)


def confirm_nobody(kept: str, basement: Basement) -> None:
    """Whoever has all that the device keeps, and a name, learns no tail by trying each: the key cannot be taken along."""
    stores = json.loads(kept)["databases"]["check-in"]
    hashes = {each for roster in stores["rosters"] for person in roster["people"] for each in person["find"]}
    assert [fact["search"] for fact in stores["facts"] if "search" in fact] == ["CryptoKey"]
    (device,) = stores["devices"]
    key = SearchKey.of_device(device["device"])
    assert {key.hash(phone[-4:]) for phone in basement.phones} <= hashes
    known = [device["token"], *(roster["search"] for roster in stores["rosters"])]
    guesses = [basement.names[0], initials(basement.names[0]), *(f"{number:04}" for number in range(10_000))]
    secrets = [
        SearchKey(b""),
        *(SearchKey(text.encode()) for text in known),
        SearchKey(urlsafe_b64decode(known[0] + "=")),
    ]
    assert not hashes & {secret.hash(guess) for secret in secrets for guess in guesses}
    assert base64.b64encode(key.value).decode() not in kept


def test_a_session_without_the_server_survives_a_killed_browser(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect(page.locator("[data-count=all]")).to_have_text(str(PEOPLE))
    expect_ready(page)
    before, events = basement.present, basement.events

    basement.running.stop()
    tap(page, 10)
    tap_fast(page, TAPS // 2 - 10)
    expect_unsent(page, TAPS // 2)
    page.reload()
    expect(page.locator("[data-count=all]")).to_have_text(str(PEOPLE))
    expect(page.locator("[data-count=present]")).to_have_text(str(before + TAPS // 2))
    tap(page, 10)
    tap_fast(page, TAPS - TAPS // 2 - 10)
    phone.kill()
    phone.on()
    page = phone.page(basement.address)
    expect(page.locator("[data-count=present]")).to_have_text(str(before + TAPS))
    expect_unsent(page, TAPS)

    find_people(page, basement)
    kept = dump(page)
    assert [one for one in (*basement.names, *basement.phones, *basement.id_numbers) if one in kept] == []
    assert page.locator(".person-name", has_text="王*伟").count() > 0
    confirm_nobody(kept, basement)

    basement.running.start()
    began = monotonic()
    expect_unsent(page, 0, SECONDS_TO_SEND)
    assert monotonic() - began <= SECONDS_TO_SEND
    assert (basement.present, basement.events) == (before + TAPS, events + TAPS)


def test_what_is_undone_left_walked_in_or_scanned_without_a_network(basement: Basement, phone: Phone) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    page.context.set_offline(True)
    page.reload()
    tap(page, 2)
    rows = page.locator(".person[data-present=yes]:has([data-wait]:visible)")
    expect(rows).to_have_count(2)
    rows.nth(0).locator("[data-undo]").click()
    page.locator("dialog[open] button[value=undo]").click()
    expect(page.locator("[data-count=present]")).to_have_text(str(before + 1))
    page.locator(".person[data-present=yes]:has([data-wait]:visible)").last.locator("[data-undo]").click()
    page.locator("dialog[open] button[value=leave]").click()
    page.locator("[data-walk-in]").click()
    page.locator("#walk-in-name").fill("路过的人")
    page.locator("dialog[open] button[type=submit]").click()
    expect(page.locator(".person", has_text="路过的人")).to_be_visible()
    expect_unsent(page, 5)
    page.context.set_offline(False)
    page.evaluate("dispatchEvent(new Event('online'))")
    expect_unsent(page, 0)
    assert basement.present == before + 1
    assert basement.count(
        "SELECT count(*) FROM attendance_event u JOIN attendance_event a ON a.id = u.undoes AND a.kind = 'arrive'"
        " WHERE u.course_session_id = :id AND u.kind = 'undo'"
    )
    assert basement.count("SELECT count(*) FROM attendance WHERE course_session_id = :id AND left_at IS NOT NULL") == 1
    assert basement.count(
        "SELECT count(*) FROM attendance_event WHERE course_session_id = :id AND walk_in_id IS NOT NULL"
        " AND review IS NOT NULL"
    )


def test_a_roster_that_was_read_before_the_taps_arrived_takes_none_of_them_back(
    basement: Basement, phone: Phone
) -> None:
    page = phone.page(basement.address)
    expect_ready(page)
    before = basement.present
    phone.context.set_offline(True)
    tap(page, 2)
    again = phone.context.new_page()
    again.add_init_script(LATE_ROSTER)
    for other in [one for one in phone.context.pages if one != again]:
        other.close()  # the network comes back, and each tab would send
    phone.context.set_offline(False)
    again.goto(basement.address)
    expect_ready(again)
    expect_unsent(again, 0)
    assert again.locator("[data-count=present]").inner_text() == str(before + 2)

    # Nor does the one that this device keeps for when there is no network, whatever was answered since it came.
    tap(again, 1)
    expect_unsent(again, 0)
    phone.context.set_offline(True)
    again.reload()
    expect(again.locator("[data-kept]")).not_to_be_empty()
    expect(again.locator("[data-count=present]")).to_have_text(str(before + 3))
    assert basement.present == before + 3


def test_two_tabs_send_what_happened_once(basement: Basement, phone: Phone) -> None:
    one, other = phone.page(basement.address), phone.page(basement.address)
    expect_ready(one)
    before, events = basement.present, basement.events
    phone.context.set_offline(True)
    one.bring_to_front()
    tap(one, 2)
    expect_unsent(other, 2)
    other.bring_to_front()
    expect(other.locator("[data-count=present]")).to_have_text(str(before + 2))
    tap(other, 2)
    expect_unsent(one, 4)
    phone.context.set_offline(False)
    for page in (one, other):
        page.evaluate("dispatchEvent(new Event('online'))")
    for page in (one, other):
        expect_unsent(page, 0)
        expect(page.locator("[data-count=present]")).to_have_text(str(before + 4))
    assert (basement.present, basement.events) == (before + 4, events + 4)
