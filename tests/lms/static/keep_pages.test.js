import assert from "node:assert/strict";
import { test } from "node:test";
import { keepPages } from "../../../lms/static/keep_pages.js";

function pretend(values) {
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
}

test("the worker of the whole site is registered, the language noted, and the worker of /sessions/ ended", async () => {
  const [noted, registered, ended] = [[], [], []];
  const registration = (path) => ({ scope: `https://lms.example${path}`, unregister: async () => ended.push(path) });
  pretend({
    document: { readyState: "complete" },
    caches: { open: async () => ({ put: async (_, answer) => noted.push(await answer.text()) }) },
    navigator: { serviceWorker: {
      getRegistrations: async () => ["/sessions/", "/verify/offline", "/"].map(registration),
      register: async (...told) => registered.push(told),
      ready: Promise.resolve({}),
    } },
  });
  assert.equal(await keepPages("en"), true);
  assert.deepEqual(noted, ["en"]);
  assert.deepEqual(registered, [["/sessions/worker.js", { scope: "/" }]]);
  assert.deepEqual(ended, ["/sessions/"]);
});

test("a browser that cannot keep pages says so", async () => {
  pretend({ document: { readyState: "complete" }, navigator: {} });
  assert.equal(await keepPages("zh"), false);
  pretend({ caches: undefined, navigator: { serviceWorker: { ready: Promise.resolve({}) } } });
  assert.equal(await keepPages("zh"), false);
});
