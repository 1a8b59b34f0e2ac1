"""`python -m benchmarks.first_paint`: first paint of "Today" and of a roster of 240 people on a bad network.

Chromium on a phone's screen, DevTools' network of 400 kbit/s each way and 400 ms for each request. A first visit is a browser
that has never opened a page of ours but is signed in; second visits are what follows, with the worker in place. Printed are the
milliseconds until the first contentful paint. Exit 1 over a limit.
"""

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median

from playwright.sync_api import BrowserType, Page, sync_playwright

from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, Basement, basement_system
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, expect_ready

BYTES_A_SECOND = 400_000 / 8
LATENCY_MS = 400
VISITS = 3
FIRST_MS, SECOND_MS = 4000, 2000
CONTENTFUL = """() => new Promise((resolve) => {
  const tell = (entries) => entries.filter((entry) => entry.name === "first-contentful-paint")
    .forEach((entry) => resolve(entry.startTime));
  new PerformanceObserver((list) => tell(list.getEntries())).observe({ type: "paint", buffered: true });
})"""


def slow_down(page: Page) -> None:
    """Give a page the bad network."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": LATENCY_MS,
            "downloadThroughput": BYTES_A_SECOND,
            "uploadThroughput": BYTES_A_SECOND,
        },
    )


def visit(phone: Phone, address: str) -> float:
    """Open an address in a new tab: milliseconds until its first contentful paint."""
    page = phone.context.new_page()
    slow_down(page)
    page.goto(address, wait_until="load", timeout=60_000)
    paint = page.evaluate(CONTENTFUL)
    page.close()
    return float(paint)


def measure(kind: BrowserType, basement: Basement, name: str, address: str) -> bool:
    """Print the first and the second visits of a page. False where one is over its limit."""
    first, second = [], []
    for _ in range(VISITS):
        with tempfile.TemporaryDirectory() as folder:
            phone = Phone(kind, Path(folder) / "profile", basement.running.url)
            sign_in(phone.context.new_page(), Account("instructor", LOGIN, PASSWORD))
            phone.context.new_cdp_session(phone.context.pages[0]).send("Network.clearBrowserCache")
            first.append(visit(phone, address))
            expect_ready(phone.page(address))
            second.extend(visit(phone, address) for _ in range(2))
            phone.off()
    within = True
    for visits, paints, limit in (("first visit", first, FIRST_MS), ("second visit", second, SECOND_MS)):
        print(
            f"{name:<8} {visits:<13} median {median(paints):5.0f} ms   slowest {max(paints):5.0f} ms   (≤ {limit})",
            flush=True,
        )
        within = within and median(paints) <= limit
    return within


def main(_arguments: Sequence[str]) -> int:
    """Measure both pages."""
    with basement_system() as basement, sync_playwright() as playwright:
        pages = (("Today", "/today/"), ("roster", basement.address))
        return 0 if all([measure(playwright.chromium, basement, *page) for page in pages]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
