import assert from "node:assert/strict";
import { test } from "node:test";
import { keepOffline } from "../../../lms/static/keep_offline.js";

function pretend(values) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

/** A browser: `registered` is called with what is registered, and gives the registration. */
function browser(registered, controller = null) {
  const ended = [];
  const registration = (path) => ({ scope: `https://lms.example${path}`, unregister: async () => ended.push(path) });
  pretend({
    document: { readyState: "complete" },
    navigator: { serviceWorker: {
      controller,
      getRegistrations: async () => ["/verify/offline", "/v", "/"].map(registration),
      register: registered,
    } },
  });
  return ended;
}

function worker(state, kept) {
  const listeners = [];
  return {
    state,
    told: [],
    postMessage(message, [port]) {
      this.told.push(message);
      port.postMessage(kept);
      port.close();
    },
    addEventListener: (_, listener) => listeners.push(listener),
    become(next) {
      this.state = next;
      listeners.forEach((listener) => listener());
    },
  };
}

test("the worker is registered for scanned codes, told the language, and the former one is ended", async () => {
  const registered = [];
  const active = worker("activated", true);
  const ended = browser(async (...told) => { registered.push(told); return { active }; });
  assert.equal(await keepOffline("en", true), true);
  assert.deepEqual(registered, [["/verify/offline-worker.js", { scope: "/v" }]]);
  assert.deepEqual(active.told, [{ language: "en", whole: true }]);
  assert.deepEqual(ended, ["/verify/offline"]);
});

test("a worker that is being installed is waited for, and one that fails keeps nothing", async () => {
  for (const [state, kept] of [["activated", true], ["redundant", false]]) {
    const installing = worker("installing", true);
    browser(async () => {
      setTimeout(() => installing.become(state), 5);
      return { active: null, installing };
    });
    assert.equal(await keepOffline("zh", false), kept);
  }
});

test("without a network what is kept is kept, and an old browser keeps nothing", async () => {
  const away = async () => { throw new TypeError("no network"); };
  browser(away, {});
  assert.equal(await keepOffline("zh", true), true);
  browser(away);
  assert.equal(await keepOffline("zh", true), false);
  pretend({ navigator: {} });
  assert.equal(await keepOffline("zh", true), false);
});
