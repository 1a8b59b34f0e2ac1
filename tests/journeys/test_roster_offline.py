"""The instructor's phone loses the network: taps show, wait, survive a closed tab, and arrive once each.

Another phone, whose page is open, shows each of them within three seconds.
"""

from time import monotonic

from playwright.sync_api import expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit
from tests.journeys.device import expect_ready, expect_unsent
from tests.journeys.screens import PHONE

SECONDS_TO_SEE = 3  # from a tap on one phone until another one shows it


def test_taps_wait_for_the_network_and_arrive_once(site: Site, visit: Visit) -> None:
    with site.engine.connect() as connection:
        session_id = connection.scalar(
            text(
                "SELECT s.id FROM course_session s JOIN session_instructor t ON t.course_session_id = s.id"
                " JOIN instructor i ON i.id = t.instructor_id WHERE i.registration_number = 'BJ-SZ-0001'"
                " AND s.closed_at IS NULL AND s.starts_at < now() ORDER BY s.starts_at DESC LIMIT 1"
            )
        )
        count = text("SELECT count(*) FROM attendance WHERE course_session_id = :id")
        before = connection.scalar(count, {"id": session_id})
    page = visit("instructor", viewport=PHONE)
    page.goto(f"/sessions/{session_id}/attendance")
    expect_ready(page)
    shown = int(page.locator("[data-count=present]").inner_text())
    # Whole names are found by their initials, too; what is searched for stays on the phone.
    first = page.locator(".person:visible").first
    letters, name = first.get_attribute("data-initials"), first.get_attribute("data-name")
    page.locator("[data-search]").fill((letters or "").lower())
    expect(page.locator(f'.person[data-initials="{letters}"]:visible').first).to_have_attribute("data-name", name or "")
    expect(page.locator(f'.person:visible:not([data-initials="{letters}"])')).to_have_count(0)
    page.locator("[data-search]").fill("")
    page.context.set_offline(True)
    for taken in range(1, 4):
        page.locator(".person[data-present=no]:visible .person-tap").first.click()
        expect(page.locator("[data-count=present]")).to_have_text(str(shown + taken))
    expect_unsent(page, 3)
    page.close()

    again = page.context.new_page()
    page.context.set_offline(False)
    again.goto(f"/sessions/{session_id}/attendance")
    expect_unsent(again, 0)
    expect(again.locator("[data-count=present]")).to_have_text(str(shown + 3))
    with site.engine.connect() as connection:
        assert connection.scalar(count, {"id": session_id}) == before + 3

    # A second phone, of a colleague, shows what the first one does, and the first what the second one does.
    other = visit("instructor", viewport=PHONE)
    other.goto(f"/sessions/{session_id}/attendance")
    expect_ready(other)
    seconds = []
    for taken, (tapping, looking) in enumerate(((again, other), (other, again), (again, other)), 4):
        tapping.locator(".person[data-present=no]:visible .person-tap").first.click()
        tapped = monotonic()
        expect(looking.locator("[data-count=present]")).to_have_text(str(shown + taken))
        seconds.append(monotonic() - tapped)
    assert sorted(seconds)[1] < SECONDS_TO_SEE, seconds

    # One tap too many is taken back, with a reason that stays.
    person = again.locator(".person[data-present=yes]:visible", has=again.locator("[data-undo]")).first
    person.locator("[data-undo]").click()
    dialog = again.locator("dialog[open]")
    dialog.locator("input[type=radio]").first.check()
    dialog.get_by_role("button", name="撤销签到").click()
    expect(again.locator("[data-count=present]")).to_have_text(str(shown + 5))
    expect_unsent(again, 0)
    expect(other.locator("[data-count=present]")).to_have_text(str(shown + 5))
    with site.engine.connect() as connection:
        reason = connection.scalar(
            text(
                "SELECT reason FROM attendance_event WHERE course_session_id = :id AND kind = 'undo'"
                " ORDER BY received_at DESC LIMIT 1"
            ),
            {"id": session_id},
        )
    assert reason
