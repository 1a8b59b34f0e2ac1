// The time of the server, reckoned from its answers and a clock of this page that only runs forward
// (performance.now()). The clock of the device may be wrong by hours.

const KEPT = 12; // answers from which the time is reckoned

export class ServerClock {
  #leads = []; // by how much each of the last answers was ahead of the page's clock, in ms
  #pageNow;

  /** `pageNow`: the page's own clock, in ms. */
  constructor(pageNow) {
    this.#pageNow = pageNow;
  }

  /** Whether the server has answered yet. */
  get isSet() {
    return this.#leads.length > 0;
  }

  /** Learn from an answer that was sent at this time of the server (ms). */
  learn(sent) {
    this.#leads.push(sent - this.#pageNow());
    if (this.#leads.length > KEPT) this.#leads.shift();
  }

  /**
   * The server's time (ms). Each answer tells it too early, by the time of its way here; the fastest of the last is
   * believed.
   */
  now() {
    return this.#pageNow() + Math.max(...this.#leads);
  }
}
