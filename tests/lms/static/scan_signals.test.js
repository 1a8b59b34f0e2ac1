import assert from "node:assert/strict";
import { test } from "node:test";
import { Signals } from "../../../lms/static/scan_signals.js";

/** A browser with sound and vibration. Its `pitches` and `shakes` fill as they are given. */
function browser(t) {
  const heard = { pitches: [], shakes: [] };
  class AudioContext {
    state = "suspended";

    currentTime = 0;

    async resume() { this.state = "running"; }

    async suspend() { this.state = "suspended"; }

    createOscillator() {
      const oscillator = { frequency: {}, connect: (next) => next, stop() {} };
      oscillator.start = () => heard.pitches.push(oscillator.frequency.value);
      return oscillator;
    }

    createGain() {
      return { gain: { setValueAtTime() {}, exponentialRampToValueAtTime() {} }, connect() {} };
    }
  }
  globalThis.window = { AudioContext };
  const kept = new Map();
  globalThis.localStorage = { getItem: (key) => kept.get(key) ?? null, setItem: (key, value) => kept.set(key, value) };
  t.after(() => { delete globalThis.window; delete globalThis.localStorage; });
  t.mock.getter(globalThis, "navigator", () => ({ vibrate: (shakes) => heard.shakes.push(shakes) }));
  return heard;
}

test("a result is heard and felt once a tap has unlocked the sound", (t) => {
  const heard = browser(t);
  const signals = new Signals();
  signals.give("good");
  assert.deepEqual(heard, { pitches: [], shakes: [[80]] });
  signals.unlock();
  signals.give("good");
  signals.give("bad");
  assert.deepEqual(heard.pitches, [880, 330, 220]);
  assert.equal(heard.shakes.length, 3);
});

test("whoever wants no sound has none, also on the next day, and feels the results", (t) => {
  const heard = browser(t);
  new Signals().silent = true;
  const signals = new Signals();
  assert.equal(signals.silent, true);
  signals.unlock();
  signals.give("warning");
  assert.deepEqual(heard.pitches, []);
  assert.equal(heard.shakes.length, 1);
  signals.silent = false;
  assert.equal(new Signals().silent, false);
});

test("without a place to store it the choice holds for the page", (t) => {
  browser(t);
  delete globalThis.localStorage;
  const signals = new Signals();
  assert.equal(signals.silent, false);
  signals.silent = true;
  assert.equal(signals.silent, true);
});

test("a browser without sound and vibration is silent", (t) => {
  browser(t);
  globalThis.window = {};
  t.mock.getter(globalThis, "navigator", () => ({}));
  const signals = new Signals();
  signals.unlock();
  signals.give("good");
  signals.rest();
});
