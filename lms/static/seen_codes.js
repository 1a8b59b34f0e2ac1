// Which codes before the camera are new. A ticket is held there for many frames and is taken once.

const SAME_AGAIN_MS = 4000;

export class SeenCodes {
  #seen = new Map(); // text of a code → when it was last before the camera

  #again;

  constructor(again = SAME_AGAIN_MS) {
    this.#again = again;
  }

  /** Note that a code is before the camera at a moment (ms). True unless it was there within the last seconds. */
  isNew(text, now) {
    const last = this.#seen.get(text);
    this.#seen.set(text, now);
    for (const [other, moment] of this.#seen) if (now - moment >= this.#again) this.#seen.delete(other);
    return last === undefined || now - last >= this.#again;
  }
}
