// Answers the pages of verification where there is no network: each address that begins with /v, which are those of
// scanned codes and those of /verify. The network comes first; where it fails, the page that verifies in the browser
// answers, and reads the code out of its own address. That page, its scripts, the keys, the signed lists and the table
// of types are kept here; no address that was scanned ever is.
//
// The server writes RELEASE above this text: a version, the folder of its files, and the bundle of them, which is
// fetched at once; the addresses of the signed data; and the folder and the files of the decoder of QR codes, or null
// where there is none. The decoder is large, and kept for those who opened the page of offline verification.
const PREFIX = "verify-offline-";
const SCOPE = "/v";
const KEPT = PREFIX + RELEASE.version;
const DATA = `${PREFIX}data`;
const DECODER = RELEASE.decoder ? `${PREFIX}decoder:${RELEASE.decoder.folder}` : null;
const NOTES = { language: "/verify/offline/language", moment: "/verify/offline/moment" };
const PATIENCE_MS = 5000; // a network that answers later than this is no network to somebody at a door
const FRESH_MS = 6 * 3600 * 1000; // a quarter of the time for which a signed list may be relied on
const AWAY = new Set([502, 503, 504]); // a proxy answers, and the server behind it does not
const PATIENT = /^\/verify\/list/u; // lists take their time

/** Fetch and keep what an address answers. False where there is no network, or no room: what is kept stays. */
async function fetchInto(cache, address) {
  try {
    const answer = await fetch(address);
    if (answer.ok) await cache.put(address, answer);
    return answer.ok;
  } catch {
    return false;
  }
}

/** Fetch keys, lists and types. `anew`: also where they were fetched a short time ago. */
async function keepData(anew) {
  const cache = await caches.open(DATA);
  const noted = await cache.match(NOTES.moment);
  if (!anew && noted && Date.now() - Number(await noted.text()) < FRESH_MS) return;
  const kept = await Promise.all(RELEASE.data.map((address) => fetchInto(cache, address)));
  if (kept.every(Boolean)) await cache.put(NOTES.moment, new Response(String(Date.now())));
}

async function keepDecoder() {
  if (!DECODER) return;
  const cache = await caches.open(DECODER);
  const addresses = RELEASE.decoder.files.map((name) => RELEASE.decoder.folder + name);
  const kept = await Promise.all(addresses.map((address) => cache.match(address, { ignoreVary: true })));
  await Promise.all(addresses.filter((_, place) => !kept[place]).map((address) => fetchInto(cache, address)));
}

async function install() {
  const cache = await caches.open(KEPT);
  const bundle = await (await fetch(RELEASE.folder + RELEASE.bundle)).json();
  await Promise.all(Object.entries(bundle).map(([name, { headers, text }]) => (
    cache.put(RELEASE.folder + name, new Response(text, { headers }))
  )));
  await self.skipWaiting();
}

self.addEventListener("install", (event) => event.waitUntil(install()));

async function begin() {
  if (new URL(self.registration.scope).pathname !== SCOPE) {
    await self.registration.unregister(); // it ruled one page; the one of all pages of verification takes its place
    return;
  }
  const current = [KEPT, DATA, DECODER];
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && !current.includes(name));
  await Promise.all(names.map((name) => caches.delete(name)));
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(begin()));

/** What an open page wants kept: {language, whole}. Answered with whether the keys are there. */
async function keep({ language, whole }, port) {
  const cache = await caches.open(DATA);
  await cache.put(NOTES.language, new Response(language));
  await keepData(whole);
  if (whole) await keepDecoder();
  port?.postMessage(Boolean(await cache.match(RELEASE.data[0])));
}

self.addEventListener("message", (event) => event.waitUntil(keep(event.data, event.ports[0])));

async function emptyPage(address) {
  const noted = await caches.match(NOTES.language);
  const language = address.searchParams.get("lang") || (noted ? await noted.text() : self.navigator.language);
  const cache = await caches.open(KEPT);
  const answer = await cache.match(`${RELEASE.folder}page.${language.startsWith("en") ? "en" : "zh"}.html`);
  return answer || Response.error();
}

// What the network answers; undefined where it does not answer in time. `preload`: the browser has asked already.
async function ask(request, preload, patience) {
  let timer;
  const late = new Promise((resolve) => { timer = patience && setTimeout(resolve, patience); });
  try {
    return await Promise.race([preload.then((answer) => answer || fetch(request)), late]);
  } catch {
    return undefined; // no network
  } finally {
    clearTimeout(timer);
  }
}

async function page(request, preload, address) {
  const isPatient = request.method !== "GET" || PATIENT.test(address.pathname);
  const answer = await ask(request, preload, isPatient ? 0 : PATIENCE_MS);
  return answer && !AWAY.has(answer.status) ? answer : emptyPage(address);
}

async function data(request) {
  const cache = await caches.open(DATA);
  const answer = await ask(request, Promise.resolve(), PATIENCE_MS);
  if (answer?.ok) await cache.put(request, answer.clone());
  return answer?.ok ? answer : (await cache.match(request, { ignoreVary: true })) || answer || Response.error();
}

async function file(request, kept) {
  const cache = await caches.open(kept);
  return (await cache.match(request, { ignoreVary: true })) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (address.origin !== self.location.origin) return;
  const isForm = request.method === "POST" && address.pathname.startsWith("/v/"); // a name that is compared
  if (request.mode === "navigate" && (request.method === "GET" || isForm)) {
    event.respondWith(page(request, Promise.resolve(event.preloadResponse), address));
  } else if (request.method !== "GET") {
    // Left alone.
  } else if (RELEASE.data.includes(address.pathname)) event.respondWith(data(request));
  else if (address.pathname.startsWith(RELEASE.folder)) event.respondWith(file(request, KEPT));
  else if (DECODER && address.pathname.startsWith(RELEASE.decoder.folder)) event.respondWith(file(request, DECODER));
});
