// Reads QR codes from the camera and from photos: by the browser's own reader, else by the decoder in a worker. Some
// browsers have a reader that fails (phones without Google's services); then the worker takes over.
import { Frames } from "./frames.js";

const FAULTS = 3; // failures of the browser's own reader, one after another, before the worker takes over
const LOAD_MS = 20000; // a decoder that is not loaded by then is not coming

/** The browser's own reader: {read(source): texts}, or null. */
export async function ownReader() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const formats = await window.BarcodeDetector.getSupportedFormats();
    if (!formats.includes("qr_code")) return null;
    const detector = new window.BarcodeDetector({ formats: ["qr_code"] });
    return { read: async (source) => (await detector.detect(source)).map((code) => code.rawValue) };
  } catch {
    return null;
  }
}

/** The decoder in its worker: frames go out one by one, and each is answered. */
class Decoder {
  #frames = new Frames();

  #worker;

  #waiting = new Map(); // id of a frame → the functions that settle its promise

  #sent = 0;

  constructor(worker) {
    this.#worker = new Worker(worker);
    this.#worker.addEventListener("message", ({ data }) => this.#answer(data));
    this.#worker.addEventListener("error", () => this.#fail(new Error("the worker cannot run")));
  }

  #answer({ id, ready, failed, texts }) {
    const { resolve, reject } = this.#waiting.get(id) ?? {};
    this.#waiting.delete(id);
    if (failed) reject?.(new Error(failed));
    else resolve?.(ready ?? texts);
  }

  #fail(error) {
    this.#waiting.forEach(({ reject }) => reject(error));
    this.#waiting.clear();
  }

  #ask(id, message, transfer = []) {
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#worker.postMessage(message, transfer);
    });
  }

  /** Load the decoder from its folder. Rejects where it cannot run. */
  async load(folder) {
    const timer = setTimeout(() => this.#fail(new Error("the decoder does not load")), LOAD_MS);
    try {
      await this.#ask(undefined, { folder });
    } catch (error) {
      this.#worker.terminate();
      throw error;
    } finally {
      clearTimeout(timer);
    }
  }

  async read(source) {
    const picture = "videoWidth" in source ? this.#frames.ofVideo(source) : this.#frames.ofPhoto(source);
    if (!picture) return [];
    const { data: { buffer: pixels }, width, height } = picture;
    this.#sent += 1;
    return this.#ask(this.#sent, { id: this.#sent, pixels, width, height }, [pixels]);
  }
}

/** The decoder of these places, or null where there is none or it cannot run. */
async function loadedDecoder({ folder, worker }) {
  if (!folder || !("Worker" in window) || !("WebAssembly" in window)) return null;
  try {
    const decoder = new Decoder(worker);
    await decoder.load(folder);
    return decoder;
  } catch {
    return null;
  }
}

/** A reader that turns to the worker when the browser's own reader keeps failing. */
class Reader {
  #own;

  #decoder;

  #places;

  #faults = 0;

  constructor(own, decoder, places) {
    this.#own = own;
    this.#decoder = decoder;
    this.#places = places;
  }

  async #fallBack() {
    this.#decoder ??= await loadedDecoder(this.#places);
    if (this.#decoder) this.#own = null;
    this.#faults = 0;
  }

  /** The texts of the codes in a frame of a video: none where nothing can be read. */
  async read(video) {
    try {
      const texts = await (this.#own ?? this.#decoder).read(video);
      this.#faults = 0;
      return texts;
    } catch {
      this.#faults += 1;
      if (this.#own && this.#faults >= FAULTS) await this.#fallBack();
      return [];
    }
  }

  /** The texts of the codes in a photo (ImageBitmap), which the decoder looks at, too. */
  async readPhoto(bitmap) {
    const texts = await this.read(bitmap);
    if (texts.length || !this.#own) return texts;
    this.#decoder ??= await loadedDecoder(this.#places);
    return this.#decoder ? this.#decoder.read(bitmap) : texts;
  }
}

/**
 * A reader of QR codes; null where none can be had. Where the browser has no reader, the decoder in `folder` runs in
 * the worker at an address, for which the page's service worker has to answer when there is no network.
 */
export async function openReader(folder, worker = new URL("./decoding-worker.js", import.meta.url)) {
  const places = { folder, worker };
  const own = await ownReader();
  const decoder = own ? null : await loadedDecoder(places);
  return own || decoder ? new Reader(own, decoder, places) : null;
}
