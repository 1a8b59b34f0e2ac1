import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import vm from "node:vm";

const SCRIPT = readFileSync(new URL("../../../lms/static/offline-worker.js", import.meta.url), "utf8");
const SITE = "https://lms.example";
const CODE = "1".repeat(198);
const RELEASE = {
  version: "new", folder: "/verify/offline/new/", bundle: "bundle.json",
  data: ["/.well-known/jwks.json", "/status/revocation/0"],
  decoder: { folder: "/sessions/offline/wasm/", files: ["reader.wasm"] },
};
const PAGES = { "/verify/offline/new/page.zh.html": "page zh", "/verify/offline/new/page.en.html": "page en" };
const NONE = () => { throw new TypeError("no network"); };

function pathOf(request) {
  return (request.url ?? request).replace(SITE, "");
}

/** The worker as a browser runs it: `network` answers requests; `contents` are the caches by name. */
function worker({ network = NONE, contents = {}, scope = `${SITE}/v`, language = "zh-CN" } = {}) {
  const listeners = {};
  const seen = { asked: [], unregistered: false, patience: [] };
  const stores = new Map(Object.entries(contents).map(([name, files]) => [name, new Map(Object.entries(files))]));
  const open = (name) => {
    if (!stores.has(name)) stores.set(name, new Map());
    const files = stores.get(name);
    const match = async (request) => {
      const path = pathOf(request);
      return files.has(path) ? new Response(files.get(path)) : undefined;
    };
    return {
      match,
      put: async (request, answer) => { files.set(pathOf(request), await answer.text()); },
    };
  };
  const caches = {
    open: async (name) => open(name),
    match: async (request) => {
      const name = [...stores.keys()].find((each) => stores.get(each).has(pathOf(request)));
      return name && open(name).match(request);
    },
    keys: async () => [...stores.keys()],
    delete: async (name) => stores.delete(name),
  };
  const self = {
    addEventListener: (kind, listener) => { listeners[kind] = listener; },
    location: { origin: SITE },
    navigator: { language },
    registration: { scope, unregister: async () => { seen.unregistered = true; } },
    skipWaiting: async () => {},
    clients: { claim: async () => {} },
  };
  vm.runInNewContext(`const RELEASE = ${JSON.stringify(RELEASE)};\n${SCRIPT}`, {
    self, caches, URL, Response, Date,
    setTimeout: (act, delay) => { seen.patience.push(delay); setImmediate(act); }, clearTimeout: () => {},
    fetch: async (request) => { seen.asked.push(pathOf(request)); return network(request); },
  });
  const answer = async (path, { mode = "navigate", method = "GET", preloaded } = {}) => {
    let given;
    const request = { url: path.startsWith("https:") ? path : SITE + path, mode, method };
    const preloadResponse = Promise.resolve(preloaded);
    listeners.fetch({ request, preloadResponse, respondWith: (value) => { given = value; } });
    const response = await given;
    return response && (response.type === "error" ? "error" : response.text());
  };
  const happens = async (kind, event = {}) => {
    let work;
    listeners[kind]({ ...event, waitUntil: (promise) => { work = promise; } });
    await work;
  };
  return { answer, happens, seen, stores };
}

test("a scanned code is answered without a network, in the language of its address, of the last page, of the browser",
  async () => {
    const kept = { "verify-offline-new": PAGES };
    const { answer } = worker({ contents: kept });
    const writings = [`/v/${CODE}`, `/v/${CODE}/`, `/v/%20${CODE}?utm_source=x`, "/v/nothing", "/verify"];
    for (const path of writings) assert.equal(await answer(path), "page zh", path);
    assert.equal(await answer(`/v/${CODE}?lang=en`), "page en");
    assert.equal(await answer(`/v/${CODE}`, { method: "POST" }), "page zh");
    assert.equal(await worker({ contents: kept, language: "en-GB" }).answer(`/v/${CODE}`), "page en");
    const noted = { ...kept, "verify-offline-data": { "/verify/offline/language": "en" } };
    assert.equal(await worker({ contents: noted }).answer(`/v/${CODE}`), "page en");
    assert.equal(await worker({ contents: noted }).answer(`/v/${CODE}?lang=zh`), "page zh");
  });

test("the network comes first, a slow or broken one is none, and no scanned address is kept", async () => {
  const contents = { "verify-offline-new": PAGES };
  const online = worker({ contents, network: () => new Response("verdict") });
  assert.equal(await online.answer(`/v/${CODE}`), "verdict");
  assert.equal(await online.answer(`/v/${CODE}`, { preloaded: new Response("preloaded") }), "preloaded");
  assert.doesNotMatch(JSON.stringify([...online.stores].map(([name, files]) => [name, ...files])), /1{198}/u);
  assert.equal(await worker({ contents, network: () => new Promise(() => {}) }).answer(`/v/${CODE}`), "page zh");
  for (const [status, text] of [[503, "page zh"], [404, "said"], [429, "said"], [500, "said"]]) {
    const { answer } = worker({ contents, network: () => new Response("said", { status }) });
    assert.equal(await answer(`/v/${CODE}`), text);
  }
  const list = worker({ contents, network: () => new Response("list") });
  await list.answer("/verify/list");
  await list.answer(`/v/${CODE}`, { method: "POST" });
  assert.deepEqual(list.seen.patience, []);
});

test("keys and lists come from the network and are kept; without one they come from here", async () => {
  const online = worker({ network: () => new Response("fresh") });
  assert.equal(await online.answer(RELEASE.data[1], { mode: "cors" }), "fresh");
  assert.equal(online.stores.get("verify-offline-data").get(RELEASE.data[1]), "fresh");
  const contents = { "verify-offline-data": { [RELEASE.data[0]]: "old keys" } };
  assert.equal(await worker({ contents }).answer(RELEASE.data[0], { mode: "cors" }), "old keys");
  const refused = worker({ contents, network: () => new Response("many", { status: 429 }) });
  assert.equal(await refused.answer(RELEASE.data[0], { mode: "cors" }), "old keys");
  assert.equal(await worker({ contents }).answer("/status/revocation/0", { mode: "cors" }), "error");
  for (const path of ["/api/v1/verify/1", "/static/style.css", "https://elsewhere.example/v/1"]) {
    assert.equal(await worker({ contents }).answer(path, { mode: "cors" }), undefined, path);
  }
});

test("a page has the language noted and the data fetched, at most four times a day unless it is the page itself",
  async () => {
    const kepts = [];
    const told = (whole) => ({ data: { language: "en", whole }, ports: [{ postMessage: (kept) => kepts.push(kept) }] });
    const { happens, seen, stores } = worker({ network: ({ url }) => new Response(url) });
    await happens("message", told(false));
    await happens("message", told(false));
    assert.deepEqual(seen.asked, RELEASE.data);
    assert.equal(stores.get("verify-offline-data").get("/verify/offline/language"), "en");
    await happens("message", told(true));
    assert.deepEqual(seen.asked.slice(2), [...RELEASE.data, "/sessions/offline/wasm/reader.wasm"]);
    await happens("message", told(true));
    assert.deepEqual(seen.asked.slice(5), RELEASE.data);
    assert.deepEqual(kepts, [true, true, true, true]);
    // A list that could not be had is fetched again by the next page.
    let answers = 0;
    const broken = worker({ network: () => new Response("data", { status: (answers += 1) === 2 ? 429 : 200 }) });
    await broken.happens("message", told(false));
    await broken.happens("message", told(false));
    assert.deepEqual(broken.seen.asked, [...RELEASE.data, ...RELEASE.data]);
    const away = worker();
    await away.happens("message", told(true));
    assert.equal(kepts.at(-1), false);
  });

test("a new version takes the place of the former one, and the worker of one page gives way", async () => {
  const contents = {
    "verify-offline-2": {}, "verify-offline-old": {}, "verify-offline-data": {}, "check-in-7": {},
    "verify-offline-decoder:/sessions/offline/old/": {},
  };
  const bundle = { "page.zh.html": { headers: { "Content-Type": "text/html" }, text: "page zh" } };
  const { answer, happens, stores, seen } = worker({ contents, network: () => new Response(JSON.stringify(bundle)) });
  await happens("install");
  assert.deepEqual(seen.asked, ["/verify/offline/new/bundle.json"]);
  await happens("activate");
  assert.equal(await answer("/verify/offline/new/page.zh.html", { mode: "cors" }), "page zh");
  assert.deepEqual([...stores.keys()], ["verify-offline-data", "check-in-7", "verify-offline-new"]);
  assert.equal(seen.unregistered, false);
  const former = worker({ contents, scope: `${SITE}/verify/offline` });
  await former.happens("activate");
  assert.equal(former.seen.unregistered, true);
});
