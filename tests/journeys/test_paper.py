"""A signed paper sheet, entered by keyboard alone: times down the column, the time above by one key, a pasted column."""

from playwright.sync_api import Page, expect
from sqlalchemy import text

from tests.journeys.conftest import Site, Visit
from tests.journeys.screens import DESK, PHONE

WORDS = {"preview": "查看更改内容", "above": "同上一行时间", "stored": "时间已录入"}
RUNNING = text(
    """
    SELECT meeting.id FROM course_session meeting
    JOIN session_instructor teaching ON teaching.course_session_id = meeting.id
    JOIN instructor ON instructor.id = teaching.instructor_id
    JOIN offering ON offering.id = meeting.offering_id
    WHERE instructor.user_id = :user AND meeting.closed_at IS NULL AND offering.state = 'published'
      AND meeting.starts_at <= now()
      AND (SELECT count(*) FROM enrolment WHERE enrolment.offering_id = offering.id AND state = 'enrolled') >= 4
    ORDER BY meeting.starts_at LIMIT 1
    """
)


def meeting_of(site: Site) -> int:
    """A session of the demo instructor that began and is still open."""
    with site.engine.connect() as connection:
        found = connection.scalar(RUNNING, {"user": site.user_id(site.accounts["instructor"])})
    assert found is not None, "the demo year has no open session of its instructor"
    return int(found)


def column(page: Page, kind: str) -> list[str]:
    return [cell.input_value() for cell in page.locator(f'[data-cell="{kind}"]').all()]


def began(site: Site, meeting: int) -> str:
    """The session's hour on the branch's clock, as somebody would write it on paper: a time that has passed."""
    with site.engine.connect() as connection:
        shown = "SELECT to_char(starts_at AT TIME ZONE 'Asia/Shanghai', 'HH24MI') FROM course_session WHERE id = :id"
        return str(connection.scalar(text(shown), {"id": meeting}))


def test_a_sheet_is_entered_by_keyboard(visit: Visit, site: Site) -> None:
    meeting = meeting_of(site)
    start = began(site, meeting)
    clock = f"{start[:2]}:{start[2:]}"
    page = visit("instructor", viewport=DESK)
    page.goto(f"/sessions/{meeting}/paper")
    first = page.locator('[data-cell="came"]').first
    first.focus()
    first.fill("")
    page.keyboard.type(start)
    page.keyboard.press("Enter")
    page.keyboard.press("=")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    assert column(page, "came")[:2] == [clock, clock]
    page.locator('[data-cell="came"]').nth(2).focus()
    page.evaluate(
        """(value) => {
            const data = new DataTransfer();
            data.setData("text", `${value}\\n${value}\\n`);
            document.activeElement.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        start,
    )
    assert column(page, "came")[:4] == [clock] * 4
    page.get_by_role("button", name=WORDS["preview"]).press("Enter")
    rows = page.locator("main tbody tr")
    expect(rows.first).to_contain_text(clock)
    page.locator('button[value="save"]').press("Enter")
    expect(page.get_by_text(WORDS["stored"])).to_be_visible()
    page.goto(f"/sessions/{meeting}/paper")
    assert column(page, "came")[:4] == [clock] * 4


def test_the_grid_fits_a_phone_and_says_in_place_what_is_no_time(visit: Visit, site: Site) -> None:
    page = visit("instructor", viewport=PHONE)
    page.goto(f"/sessions/{meeting_of(site)}/paper")
    cell = page.locator('[data-cell="left"]').first
    before = cell.input_value()
    cell.fill("9:75")
    page.locator('[data-cell="left"]').nth(1).focus()
    expect(cell).to_have_class("form-control paper-time is-invalid")
    cell.fill(before)
    page.locator('[data-cell="left"]').nth(1).focus()
    expect(cell).to_have_class("form-control paper-time")
    expect(page.get_by_role("button", name=WORDS["above"])).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
