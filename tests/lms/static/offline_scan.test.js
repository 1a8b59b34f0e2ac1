import assert from "node:assert/strict";
import { test } from "node:test";
import { CodeScanner } from "../../../lms/static/offline_scan.js";

const CODE = `https://lms.example/v/${"1".repeat(198)}`;

/** A page with the elements of scanning, and a browser whose own reader reads `frames`, one after another. */
function browser({ frames = [], camera = true }) {
  const element = () => ({
    hidden: true, textContent: "", dataset: { start: "scan", stop: "close" }, listeners: {},
    addEventListener(kind, listener) { this.listeners[kind] = listener; },
    play: async () => {},
    videoWidth: 1,
  });
  const selectors = ["[data-scan]", "[data-photo]", "[data-camera]", "video"];
  const elements = Object.fromEntries(selectors.map((selector) => [selector, element()]));
  const dataset = { camera_opening: "opening", camera_looking: "looking", camera_foreign: "foreign",
    camera_missing: "missing", camera_reader: "reader", camera_empty: "empty", camera_busy: "busy" };
  const track = { readyState: "live", stop() { this.readyState = "ended"; } };
  const own = class {
    static getSupportedFormats = async () => ["qr_code"];

    detect = async () => (frames.shift() ?? []).map((rawValue) => ({ rawValue }));
  };
  const given = {
    window: { BarcodeDetector: own },
    document: { addEventListener: () => {}, hidden: false },
    addEventListener: () => {},
    createImageBitmap: async (photo) => photo,
    navigator: { mediaDevices: { getUserMedia: async () => {
      if (!camera) throw Object.assign(new Error("none"), { name: "NotFoundError" });
      return { getVideoTracks: () => [track], getTracks: () => [track] };
    } } },
  };
  for (const [name, value] of Object.entries(given)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  return { root: { dataset, querySelector: (selector) => elements[selector] }, elements, track };
}

function scanning(told) {
  const page = browser(told);
  const codes = [];
  const scanner = new CodeScanner(page.root, (code) => codes.push(code));
  scanner.listen();
  return { ...page, codes, scanner, tap: () => page.elements["[data-scan]"].listeners.click() };
}

const soon = (milliseconds) => new Promise((resolve) => { setTimeout(resolve, milliseconds); });

test("the camera stays open until one of our codes is read", async () => {
  const { codes, elements, tap, track } = scanning({ frames: [[], ["https://example.org/menu"], [CODE]] });
  tap();
  await soon(130);
  assert.equal(elements["[data-camera]"].textContent, "foreign");
  assert.equal(elements.video.hidden, false);
  await soon(150);
  assert.deepEqual(codes, [CODE]);
  assert.equal(track.readyState, "ended");
  assert.equal(elements.video.hidden, true);
  assert.equal(elements["[data-camera]"].hidden, true);
});

test("a second tap closes the camera, also while it opens, and nothing is read any more", async () => {
  for (const wait of [0, 30]) {
    const { codes, elements, scanner, tap, track } = scanning({ frames: [[], [], [CODE]] });
    tap();
    await soon(wait);
    scanner.stop();
    await soon(250);
    assert.deepEqual(codes, []);
    assert.equal(track.readyState, "ended");
    assert.equal(elements.video.hidden, true);
  }
});

test("without a camera a photo is read, and what was not found is said", async () => {
  const { codes, elements, tap } = scanning({ frames: [[], [CODE]], camera: false });
  tap();
  await soon(30);
  assert.equal(elements["[data-camera]"].textContent, "missing");
  const photo = elements["[data-photo]"];
  const choose = async () => {
    photo.listeners.change({ target: { files: [{}], value: "" } });
    await soon(20);
  };
  await choose();
  assert.equal(elements["[data-camera]"].textContent, "empty");
  await choose();
  assert.deepEqual(codes, [CODE]);
});
