"""`python -m benchmarks.scanning`: twenty tickets before the camera of a phone, five of each way (`ticket_pictures.py`).

Chromium's fake camera plays a video of them, four times: with and without a reader of the browser's own, with and without
a network. Each ticket is shown for a second. Printed are the tickets that were checked in when the video had been played
once and at the end, after three times at most, and what the server has afterwards. Exit 1 when a ticket is missing there.

Chromium on Linux has no reader behind its BarcodeDetector. In its place stands one with the same interface, whose frames
are read in this program by zxing-cpp.

`--throttled` measures how many frames a second are decoded by the worker on a slower processor. DevTools' throttling
slows down the main thread alone, not the worker, so both are measured: that, and the page's whole process stopped by
SIGSTOP for 15 of each 20 ms, which leaves a quarter of the processor to both threads.
"""

import base64
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from io import BytesIO
from pathlib import Path
from statistics import median, quantiles
from threading import Event, Thread

import psutil
import zxingcpp
from PIL import Image
from playwright.sync_api import BrowserType, Page, sync_playwright
from sqlalchemy import text

from benchmarks.ticket_pictures import WAYS, write_video
from courses.models.enrolment import open_ticket
from lms.core import code_decoder
from lms.portal.ticket_code import address
from tests.factories import PASSWORD
from tests.journeys.basement import LOGIN, Basement, basement_system
from tests.journeys.conftest import Account, sign_in
from tests.journeys.device import Phone, expect_ready, expect_unsent

TICKETS = 20
FRAMES, RATE = 5, 5
PASS_SECONDS = TICKETS * (FRAMES + 1) / RATE
PASSES = 3
LEAST_RATE = 5.0
RUN_SECONDS, STOP_SECONDS = 0.005, 0.015
STAND_IN = """
  window.BarcodeDetector = class {
    static async getSupportedFormats() { return ["qr_code"]; }
    async detect(video) {
      if (!video.videoWidth) return [];
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [video.videoWidth, video.videoHeight];
      canvas.getContext("2d").drawImage(video, 0, 0);
      return (await readCodes(canvas.toDataURL("image/jpeg", 0.9))).map((rawValue) => ({ rawValue }));
    }
  };
"""
WITHOUT = """
  delete window.BarcodeDetector;
  const Plain = window.Worker;
  window.decoded = [];
  window.Worker = class extends Plain {
    constructor(...options) {
      super(...options);
      this.addEventListener("message", ({ data }) => { if (data.texts) decoded.push(performance.now() - this.sent); });
    }
    postMessage(...message) {
      this.sent = performance.now();
      super.postMessage(...message);
    }
  };
"""
Shown = Sequence[tuple[int, str]]


def read_codes(picture: str) -> list[str]:
    """The texts of the QR codes in a picture that is written as a data URL."""
    image = Image.open(BytesIO(base64.b64decode(picture.partition(",")[2])))
    return [code.text for code in zxingcpp.read_barcodes(image, formats=zxingcpp.BarcodeFormat.QRCode)]


def tickets(basement: Basement) -> Shown:
    """Enrolments of people who are missing, with their tickets."""
    query = """SELECT e.id, e.ticket_hash, e.ticket_sealed FROM enrolment e
               LEFT JOIN attendance a ON a.enrolment_id = e.id WHERE a.enrolment_id IS NULL ORDER BY e.id LIMIT :number"""
    with basement.engine.connect() as connection:
        rows = connection.execute(text(query), {"number": TICKETS}).all()
    return [(enrolment_id, open_ticket(*sealed)) for enrolment_id, *sealed in rows]


@contextmanager
def phone(kind: BrowserType, basement: Basement, shown: Shown, script: str) -> Iterator[tuple[Phone, Page]]:
    """The roster in a phone whose camera plays the tickets."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "tickets.y4m"
        codes = [address(basement.running.url, ticket) for _, ticket in shown]
        write_video(video, codes, frames=FRAMES, rate=RATE)
        made = Phone(kind, Path(folder) / "profile", basement.running.url, camera=video)
        sign_in(made.context.new_page(), Account("instructor", LOGIN, PASSWORD))
        made.context.expose_function("readCodes", read_codes)
        made.context.add_init_script(script)
        page = made.page(basement.address)
        expect_ready(page)
        yield made, page
        made.off()


def present(page: Page, shown: Shown) -> list[bool]:
    """Tell of each of these people whether they are checked in on the page."""
    states = page.locator("[data-enrolment][data-present=yes]").evaluate_all(
        "rows => rows.map(r => r.dataset.enrolment)"
    )
    return [str(enrolment_id) in states for enrolment_id, _ in shown]


def play(page: Page, shown: Shown) -> tuple[list[bool], list[bool], float]:
    """Open the scanner until all are checked in: who was after the first pass, who at the end, and after how many seconds."""
    page.locator("[data-scan]").click()
    page.locator("[data-video]").wait_for(state="visible")
    began = time.monotonic()
    first: list[bool] | None = None
    while True:
        here, passed = present(page, shown), time.monotonic() - began
        if first is None and passed >= PASS_SECONDS:
            first = here
        if (all(here) or passed >= PASSES * PASS_SECONDS) and (first is not None or all(here)):
            return first or here, here, passed
        page.wait_for_timeout(250)


def by_way(states: Sequence[bool]) -> str:
    """How many of each way: "5 5 4 5"."""
    return " ".join(f"{sum(states[way :: len(WAYS)])}" for way in range(len(WAYS)))


def run(kind: BrowserType, basement: Basement, *, own: bool, network: bool) -> bool:
    """Make one of the four runs. False where the server misses somebody."""
    shown = tickets(basement)
    with phone(kind, basement, shown, STAND_IN if own else WITHOUT) as (device, page):
        if not network:
            device.context.set_offline(True)
            page.reload()
        first, end, seconds = play(page, shown)
        device.context.set_offline(False)
        page.evaluate("dispatchEvent(new Event('online'))")
        expect_unsent(page, 0)
    arrived = basement.count(
        "SELECT count(*) FROM attendance WHERE course_session_id = :id AND enrolment_id = ANY(:ids)",
        ids=[enrolment_id for enrolment_id, _ in shown],
    )
    print(
        f"{'BarcodeDetector' if own else 'worker':<16} {'network' if network else 'no network':<11}"
        f" first pass {sum(first):>2} ({by_way(first)})  end {sum(end):>2} ({by_way(end)}) after {seconds:4.1f} s"
        f"  on the server {arrived}",
        flush=True,
    )
    return arrived == TICKETS


@contextmanager
def quarter_of_processor() -> Iterator[None]:
    """Stop every process of this program's browser pages for 15 of each 20 ms."""
    processes = psutil.Process().children(recursive=True)
    numbers = [process.pid for process in processes if "--type=renderer" in process.cmdline()]
    done = Event()

    def throttle() -> None:
        while not done.wait(RUN_SECONDS):
            for number in numbers:
                os.kill(number, signal.SIGSTOP)
            time.sleep(STOP_SECONDS)
            for number in numbers:
                os.kill(number, signal.SIGCONT)

    thread = Thread(target=throttle)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def throttled(kind: BrowserType, basement: Basement) -> bool:
    """Print the frames decoded a second at full speed, with DevTools' throttling, and with a quarter of the processor."""
    reached = True
    for name in ("full speed", "DevTools 4×", "quarter of both"):
        shown = tickets(basement)
        with phone(kind, basement, shown, WITHOUT) as (device, page):
            if name == "DevTools 4×":
                device.context.new_cdp_session(page).send("Emulation.setCPUThrottlingRate", {"rate": 4})
            with quarter_of_processor() if name == "quarter of both" else nullcontext():
                first, end, seconds = play(page, shown)
                decoded = page.evaluate("decoded")
        rate = len(decoded) / seconds
        reached = reached and rate >= LEAST_RATE
        print(
            f"{name:<16} {rate:4.1f} frames a second, from frame to answer {median(decoded):.0f} ms"
            f" (p95 {quantiles(decoded, n=20)[18]:.0f}), first pass {sum(first)}, end {sum(end)} after {seconds:.1f} s",
            flush=True,
        )
    return reached


def main(arguments: Sequence[str]) -> int:
    """Run, print, judge."""
    decoder = code_decoder.installed()
    assert decoder is not None
    print({name: len(content) for name, content in decoder.compressed.items()}, "bytes, once")
    with basement_system() as basement, sync_playwright() as playwright:
        if "--throttled" in arguments:
            return 0 if throttled(playwright.chromium, basement) else 1
        ways = [(own, network) for own in (False, True) for network in (True, False)]
        print(f"of {TICKETS}; in brackets of each way: {', '.join(name for name, _ in WAYS)}")
        return 0 if all([run(playwright.chromium, basement, own=own, network=network) for own, network in ways]) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
