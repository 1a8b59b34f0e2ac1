import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SCRIPT = readFileSync(new URL("../../../lms/static/session-worker.js", import.meta.url), "utf8");
const SITE = "https://lms.example";
const RELEASE = {
  version: "new", folder: "/sessions/offline/new/", files: ["today.zh.html", "today.en.html", "roster.js"],
  decoder: { folder: "/sessions/offline/wasm/", files: ["reader.wasm"] },
};

/** The caches of a browser: by name, addresses with their contents. */
class Caches {
  constructor(contents) {
    this.contents = new Map(Object.entries(contents).map(([name, files]) => [name, new Map(Object.entries(files))]));
  }

  async open(name) {
    if (!this.contents.has(name)) this.contents.set(name, new Map());
    const files = this.contents.get(name);
    return {
      match: async (request) => answerOf(files, request),
      addAll: async (addresses) => addresses.forEach((address) => files.set(address, `file ${address}`)),
    };
  }

  async match(request) {
    const files = [...this.contents.values()].find((each) => answerOf(each, request));
    return files && answerOf(files, request);
  }

  async keys() { return [...this.contents.keys()]; }

  async delete(name) { return this.contents.delete(name); }
}

function answerOf(files, request) {
  const path = (request.url ?? request).replace(SITE, "");
  return files.has(path) ? new Response(files.get(path)) : undefined;
}

/** The worker as a browser runs it. `network` answers requests; `windows` is the number of open pages. */
function worker({ network, contents = {}, windows = 1, scope = `${SITE}/`, preloads = true } = {}) {
  const listeners = {};
  const seen = { asked: [], unregistered: false, preloads: false, patience: [] };
  const caches = new Caches(contents);
  const registration = {
    scope,
    unregister: async () => { seen.unregistered = true; },
    navigationPreload: preloads ? { enable: async () => { seen.preloads = true; } } : undefined,
  };
  const self = {
    addEventListener: (kind, listener) => { listeners[kind] = listener; },
    location: { origin: SITE },
    registration,
    skipWaiting: async () => {},
    clients: { claim: async () => {}, matchAll: async () => Array(windows).fill({}) },
  };
  const setTimeoutAtOnce = (act, delay) => { seen.patience.push(delay); setImmediate(act); };
  vm.runInNewContext(`const RELEASE = ${JSON.stringify(RELEASE)};\n${SCRIPT}`, {
    self, caches, URL, Response, setTimeout: setTimeoutAtOnce, clearTimeout: () => {},
    fetch: async (request) => { seen.asked.push(request.url); return network(request); },
  });
  /** The answer's text to a request; undefined where the browser does as if there was no worker. */
  const answer = async (path, { mode = "navigate", method = "GET", preloaded } = {}) => {
    let given;
    const request = { url: path.startsWith("https:") ? path : SITE + path, mode, method };
    const preloadResponse = Promise.resolve(preloaded);
    listeners.fetch({ request, preloadResponse, respondWith: (value) => { given = value; }, waitUntil: () => {} });
    const response = await given;
    return response && (response.type === "error" ? "error" : response.text());
  };
  const happens = async (kind) => {
    let work;
    listeners[kind]({ waitUntil: (promise) => { work = promise; } });
    await work;
  };
  return { answer, happens, seen, caches };
}

const PAGES = Object.fromEntries(["today", "roster", "headcount", "close", "results", "network"].flatMap((name) => (
  ["zh", "en"].map((language) => [`/sessions/offline/new/${name}.${language}.html`, `${name} ${language}`])
)));
const KEPT = { "check-in-new": { ...PAGES, "/sessions/offline/new/roster.js": "kept script" } };
const NONE = () => { throw new TypeError("no network"); };

test("without a network each page of a session is answered by its own empty page, and others say so", async () => {
  const { answer } = worker({ network: NONE, contents: KEPT });
  const answers = {
    "/today/": "today zh", "/today": "today zh", "/today/?lang=en": "today en",
    "/sessions/7/attendance": "roster zh", "/sessions/7/attendance?show=missing&lang=en": "roster en",
    "/sessions/7/headcount": "headcount zh", "/sessions/7/close": "close zh", "/offerings/3/assessment": "results zh",
    "/": "network zh", "/offerings/3/assessment/9": "network zh", "/sessions/7/code": "network zh",
    "/sessions/x/attendance": "network zh", "/reports/?lang=en": "network en", "/certificates/5.pdf": "network zh",
  };
  for (const [path, text] of Object.entries(answers)) assert.equal(await answer(path), text, path);
});

test("the language that the last page noted is the one that answers", async () => {
  const noted = { "check-in-language": { "/sessions/offline/language": "en" } };
  const { answer } = worker({ network: NONE, contents: { ...KEPT, ...noted } });
  assert.equal(await answer("/today/"), "today en");
  assert.equal(await answer("/today/?lang=zh"), "today zh");
});

test("the network comes first, and what the browser has asked already is not asked again", async () => {
  const { answer, seen } = worker({ network: () => new Response("fresh"), contents: KEPT });
  assert.equal(await answer("/today/"), "fresh");
  assert.equal(await answer("/account/", { preloaded: new Response("preloaded") }), "preloaded");
  assert.deepEqual(seen.asked, [`${SITE}/today/`]);
});

test("a slow network is none at a door, and any other page may take its time", async () => {
  const slow = ({ url }) => (url.endsWith("/close") ? new Promise(() => {}) : new Promise((resolve) => {
    setTimeout(() => resolve(new Response("late")), 30);
  }));
  const { answer, seen } = worker({ network: slow, contents: KEPT });
  assert.equal(await answer("/sessions/7/close"), "close zh");
  assert.equal(await answer("/reports/people"), "late");
  assert.deepEqual(seen.patience, [5000]);
});

test("a server in trouble is no network to a page of a session; elsewhere only a proxy's answer is", async () => {
  for (const [status, session, other] of [[500, "today zh", "page"], [502, "today zh", "network zh"]]) {
    const { answer } = worker({ network: () => new Response("page", { status }), contents: KEPT });
    assert.equal(await answer("/today/"), session);
    assert.equal(await answer("/reports/"), other);
  }
  const { answer } = worker({ network: () => new Response("not yours", { status: 404 }), contents: KEPT });
  assert.equal(await answer("/sessions/7/attendance"), "not yours");
});

test("forms, what scripts ask, other sites and files of a browser without preloading are left alone", async () => {
  const { answer } = worker({ network: NONE, contents: KEPT, preloads: false });
  assert.equal(await answer("/sessions/7/attendance", { method: "POST" }), undefined);
  assert.equal(await answer("/api/v1/day", { mode: "cors" }), undefined);
  assert.equal(await answer("/static/style.css", { mode: "no-cors" }), undefined);
  assert.equal(await answer("https://elsewhere.example/today/"), undefined);
  for (const path of ["/certificates/5.pdf", "/reports/hours/export/csv", "/reports/exports/a/file"]) {
    assert.equal(await answer(path), undefined, path);
  }
});

test("scripts come from what is kept, also those of the version before", async () => {
  const contents = { ...KEPT, "check-in-old": { "/sessions/offline/old/roster.js": "old script" } };
  const { answer } = worker({ network: () => new Response("fresh"), contents });
  assert.equal(await answer("/sessions/offline/new/roster.js", { mode: "cors" }), "kept script");
  assert.equal(await answer("/sessions/offline/old/roster.js", { mode: "cors" }), "old script");
  assert.equal(await answer("/sessions/offline/older/roster.js", { mode: "cors" }), "fresh");
});

test("a new version keeps the files of the one before as long as a page is open", async () => {
  const old = {
    "check-in-older": {}, "check-in-old": {}, "check-in-decoder:/sessions/offline/w/": {}, "check-in-language": {},
    "verify-offline-2": {},
  };
  const open = worker({ contents: old });
  await open.happens("install");
  await open.happens("activate");
  assert.deepEqual(await open.caches.keys(), [
    "check-in-old", "check-in-decoder:/sessions/offline/w/", "check-in-language", "verify-offline-2", "check-in-new",
    "check-in-decoder:/sessions/offline/wasm/",
  ]);
  assert.equal(open.seen.preloads, true);
  const closed = worker({ contents: old, windows: 0 });
  await closed.happens("install");
  await closed.happens("activate");
  assert.deepEqual(await closed.caches.keys(), [
    "check-in-language", "verify-offline-2", "check-in-new", "check-in-decoder:/sessions/offline/wasm/",
  ]);
});

test("a worker that rules /sessions/ alone gives way", async () => {
  const former = worker({ scope: `${SITE}/sessions/`, contents: { "check-in-old": {} } });
  await former.happens("activate");
  assert.equal(former.seen.unregistered, true);
  assert.deepEqual(await former.caches.keys(), ["check-in-old"]);
});
