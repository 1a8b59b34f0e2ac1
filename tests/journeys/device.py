"""An instructor's phone: a browser that keeps its data on disk, can be killed, and started again on the same data."""

import json
import os
import re
import shutil
import signal
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, BrowserType, Error, Page, expect

from tests.journeys.screens import CHROMIUM_ARGUMENTS, PATIENCE, PHONE

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class Phone:
    """A browser with a profile folder of its own."""

    def __init__(
        self, kind: BrowserType, profile: Path, base: str, language: str = "zh-CN", camera: Path | None = None
    ) -> None:
        """camera: a video that plays before its camera, which every page may use."""
        self._kind = kind
        self._profile = profile
        self._base = base
        self._language = language
        self._camera = camera
        self._context: BrowserContext | None = None
        self.on()

    def on(self) -> None:
        """Start the browser."""
        found = next((path for path in map(shutil.which, CHROMIUM) if path), None)
        self._context = self._kind.launch_persistent_context(
            str(self._profile),
            executable_path=found,
            reduced_motion="reduce",  # a colour that is still fading is nobody's contrast
            args=CHROMIUM_ARGUMENTS + (camera_arguments(self._camera) if self._camera else []),
            viewport=PHONE,  # type: ignore[arg-type]
            locale=self._language,
            base_url=self._base,
        )
        self._context.set_default_timeout(PATIENCE)

    @property
    def context(self) -> BrowserContext:
        """The running browser."""
        assert self._context is not None
        return self._context

    def page(self, address: str) -> Page:
        """A new tab at an address."""
        page = self.context.new_page()
        page.goto(address)
        return page

    def kill(self) -> None:
        """End every process of the browser by SIGKILL, as a phone does that needs the memory."""
        wanted = f"--user-data-dir={self._profile}".encode()
        for folder in Path("/proc").iterdir():
            if not folder.name.isdigit():
                continue
            try:
                words = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if wanted in words:
                os.kill(int(folder.name), signal.SIGKILL)
        self.off()

    def off(self) -> None:
        """Close what is left of it."""
        if self._context is not None:
            with suppress(Error):  # one that was killed cannot be closed
                self._context.close()
        self._context = None


def camera_arguments(video: Path) -> list[str]:
    """Chromium's arguments for a camera that plays a video again and again."""
    return [
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    ]


def unsent(page: Page) -> int:
    """The number in the bar at the top; 0 where it is hidden."""
    mark = page.locator("[data-outbox-mark]")
    return int(mark.get_attribute("data-number") or 0) if mark.is_visible() else 0


def expect_unsent(page: Page, number: int, seconds: float = 15) -> None:
    """Wait until the page has read its outbox and so many events are unsent: a page that has not read it yet shows no mark."""
    mark = page.locator("[data-outbox-mark]")
    expect(mark).to_have_attribute("data-number", str(number), timeout=seconds * 1000)
    if not number:
        expect(mark).to_be_hidden(timeout=seconds * 1000)


def expect_ready(page: Page) -> None:
    """Wait until the page says that it works without a network."""
    expect(page.locator("[data-kept]")).to_have_text(re.compile("没有网络|work(?:s|) without a network"))


def dump(page: Page) -> str:
    """All that this site's pages keep in the browser: IndexedDB, caches, localStorage, sessionStorage and cookies, as one text.

    A key that a script may not read is there as "CryptoKey", and one that it may read is there in clear.
    """
    found: dict[str, Any] = page.evaluate(
        """async () => {
          const { cookie } = document;
          const kept = { local: { ...localStorage }, session: { ...sessionStorage }, cookie, databases: {}, caches: {} };
          const clear = async (value) => {
            if (value instanceof CryptoKey) return crypto.subtle.exportKey("jwk", value).catch(() => "CryptoKey");
            if (!value || typeof value !== "object") return value;
            const parts = await Promise.all(Object.entries(value).map(async ([name, part]) => [name, await clear(part)]));
            return Array.isArray(value) ? parts.map(([, part]) => part) : Object.fromEntries(parts);
          };
          for (const { name } of await indexedDB.databases()) {
            const database = await new Promise((resolve, reject) => {
              const asked = indexedDB.open(name);
              asked.onsuccess = () => resolve(asked.result);
              asked.onerror = () => reject(asked.error);
            });
            kept.databases[name] = {};
            for (const store of database.objectStoreNames) {
              kept.databases[name][store] = await new Promise((resolve, reject) => {
                const asked = database.transaction(store).objectStore(store).getAll();
                asked.onsuccess = () => resolve(asked.result);
                asked.onerror = () => reject(asked.error);
              }).then(clear);
            }
            database.close();
          }
          for (const name of await caches.keys()) {
            const cache = await caches.open(name);
            kept.caches[name] = {};
            for (const request of await cache.keys()) {
              kept.caches[name][request.url] = await (await cache.match(request)).text();
            }
          }
          return kept;
        }"""
    )
    assert found["databases"]
    return json.dumps(found, ensure_ascii=False)
