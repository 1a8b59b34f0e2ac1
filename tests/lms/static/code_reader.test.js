import assert from "node:assert/strict";
import { test } from "node:test";
import { openReader } from "../../../lms/static/code_reader.js";

const FOLDER = "/sessions/offline/0/";
const VIDEO = { videoWidth: 640, videoHeight: 480 };

/** A worker whose decoder reads `text` in each frame; `fails`: it cannot load the decoder. */
function workerOf(text, { fails = false } = {}) {
  return class {
    static made = 0;

    #listeners = {};

    constructor() { this.constructor.made += 1; }

    addEventListener(kind, listener) { this.#listeners[kind] = listener; }

    terminate() {}

    postMessage({ folder, id }) {
      const data = folder ? { ready: true } : { id, texts: [text] };
      queueMicrotask(() => this.#listeners.message({ data: fails ? { id, failed: "no WebAssembly" } : data }));
    }
  };
}

function detectorOf(detect, formats = ["qr_code"]) {
  return class {
    static async getSupportedFormats() { return formats; }

    detect = detect;
  };
}

/** A browser that has these. */
function browser(t, has) {
  globalThis.window = { WebAssembly, ...has };
  if (has.Worker) globalThis.Worker = has.Worker;
  const getImageData = (_x, _y, width, height) => ({ data: { buffer: null }, width, height });
  const context = { drawImage() {}, getImageData };
  globalThis.document = { createElement: () => ({ getContext: () => context }) };
  t.after(() => { ["window", "Worker", "document"].forEach((name) => delete globalThis[name]); });
}

test("a browser that reads QR codes itself loads no decoder", async (t) => {
  const Worker = workerOf("by the worker");
  browser(t, { Worker, BarcodeDetector: detectorOf(async () => [{ rawValue: "by itself" }]) });
  assert.deepEqual(await (await openReader(FOLDER)).read(VIDEO), ["by itself"]);
  assert.equal(Worker.made, 0);
});

test("where the browser's reader is missing, or knows no QR codes, the worker reads", async (t) => {
  for (const BarcodeDetector of [undefined, detectorOf(async () => [], ["ean_13"])]) {
    browser(t, { Worker: workerOf("by the worker"), ...(BarcodeDetector && { BarcodeDetector }) });
    assert.deepEqual(await (await openReader(FOLDER)).read(VIDEO), ["by the worker"]);
  }
});

test("a reader of the browser that keeps failing is replaced by the worker", async (t) => {
  const BarcodeDetector = detectorOf(async () => { throw new Error("no service"); });
  browser(t, { Worker: workerOf("by the worker"), BarcodeDetector });
  const reader = await openReader(FOLDER);
  const texts = [];
  for (let frame = 0; frame < 4; frame += 1) texts.push(await reader.read(VIDEO));
  assert.deepEqual(texts, [[], [], [], ["by the worker"]]);
});

test("what the browser's reader does not find in a photo, the worker looks for", async (t) => {
  browser(t, { Worker: workerOf("by the worker"), BarcodeDetector: detectorOf(async () => []) });
  const reader = await openReader(FOLDER);
  assert.deepEqual(await reader.readPhoto({ width: 10, height: 10 }), ["by the worker"]);
  assert.deepEqual(await reader.read(VIDEO), []);
});

test("without a decoder, or where it cannot run, there is no reader", async (t) => {
  browser(t, { Worker: workerOf("") });
  assert.equal(await openReader(""), null);
  browser(t, { Worker: workerOf("", { fails: true }) });
  assert.equal(await openReader(FOLDER), null);
  browser(t, {});
  assert.equal(await openReader(FOLDER), null);
});
