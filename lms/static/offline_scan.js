// The camera of the page that verifies in the browser: it stays open until one of our codes is read. Where no camera
// can be had, a photo is read. The browser's own reader reads, or the decoder in its worker (code_reader.js).
import { Camera, problemOf } from "./camera.js";
import { openReader } from "./code_reader.js";
import { digitsIn } from "./reading.js";

const READ_EVERY_MS = 80; // twelve frames a second are enough, and spare the battery

/** Scanning in the page `root`, whose `data-camera_…` say what happens. `onCode` is called with the text of a code. */
export class CodeScanner {
  #root;

  #onCode;

  #opening; // resolves with the reader: one for the page, so that the decoder is loaded once

  #turn = 0; // counts openings of the camera: whatever an earlier one still waits for must not touch a later one

  #camera = null;

  constructor(root, onCode) {
    this.#root = root;
    this.#onCode = onCode;
  }

  listen() {
    const button = this.#root.querySelector("[data-scan]");
    button.hidden = !navigator.mediaDevices?.getUserMedia;
    button.addEventListener("click", () => (this.#camera ? this.stop() : this.#start()));
    this.#root.querySelector("[data-photo]").addEventListener("change", ({ target }) => {
      const [photo] = target.files;
      if (photo) this.#readPhoto(photo);
      target.value = "";
    });
    document.addEventListener("visibilitychange", () => { if (document.hidden) this.stop(); });
    addEventListener("pagehide", () => this.stop());
  }

  /** Close the camera. */
  stop() {
    this.#turn += 1;
    this.#camera?.close();
    this.#show(null);
  }

  #say(name) {
    const place = this.#root.querySelector("[data-camera]");
    place.hidden = !name;
    place.textContent = name ? this.#root.dataset[`camera_${name}`] : "";
  }

  #show(camera) {
    this.#camera = camera;
    const video = this.#root.querySelector("video");
    video.hidden = !camera;
    if (!camera) video.srcObject = null;
    const button = this.#root.querySelector("[data-scan]");
    button.textContent = camera ? button.dataset.stop : button.dataset.start;
  }

  async #reader() {
    this.#opening ??= openReader(this.#root.dataset.decoder);
    const reader = await this.#opening;
    if (!reader) this.#opening = null;
    return reader;
  }

  // The camera first: a browser asks whether it may be used while the decoder loads.
  async #start() {
    this.#turn += 1;
    const turn = this.#turn;
    this.#say("opening");
    try {
      const [camera, reader] = await Promise.all([Camera.open(), this.#reader()]);
      if (turn !== this.#turn || !reader) {
        camera.close();
        if (turn === this.#turn) this.#say("reader");
        return;
      }
      this.#show(camera);
      await camera.showIn(this.#root.querySelector("video"));
      this.#say("looking");
      await this.#read(camera, reader, turn);
    } catch (error) {
      if (turn !== this.#turn) return;
      this.stop();
      this.#say(problemOf(error));
    }
  }

  async #read(camera, reader, turn) {
    const video = this.#root.querySelector("video");
    while (turn === this.#turn && camera.isLive) {
      const texts = await reader.read(video);
      if (turn !== this.#turn) return;
      if (this.#take(texts)) {
        this.stop();
        return;
      }
      await new Promise((resolve) => { setTimeout(resolve, READ_EVERY_MS); });
    }
    if (turn !== this.#turn) return;
    this.stop();
    this.#say("busy"); // another app took the camera
  }

  /** Whether one of the texts is a code of ours, which is verified. */
  #take(texts) {
    const code = texts.find(digitsIn);
    if (code) {
      this.#say(null);
      this.#onCode(code);
    } else if (texts.length) this.#say("foreign");
    return Boolean(code);
  }

  async #readPhoto(photo) {
    this.stop();
    this.#say("opening");
    try {
      const reader = await this.#reader();
      const texts = reader ? await reader.readPhoto(await createImageBitmap(photo)) : null;
      if (!texts) this.#say("reader");
      else if (!this.#take(texts) && !texts.length) this.#say("empty");
    } catch {
      this.#say("empty");
    }
  }
}
