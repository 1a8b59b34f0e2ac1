// Answers where there is no network. It rules the whole site and touches three kinds of requests. A page of a session
// (PAGES) is asked from the network first; where that fails, an empty page of ours answers, and its script fills it
// from what this device keeps. Any other page that cannot be fetched is answered by a page that says so. The scripts
// and styles of the pages come from what is kept. Forms that are sent, and what scripts ask, are not touched.
// Nothing that names anybody is ever kept here.
//
// The server writes RELEASE above this text: a version, the folder of its files, and the files; and the folder and the
// files of the decoder of QR codes, or null where there is none. A new version rules at once, because a site always has
// a page open somewhere: the files of the version before it stay as long as a page of that version may be open. The
// decoder is kept apart: a new version has mostly the same one, which is large.
const PREFIX = "check-in-";
const KEPT = PREFIX + RELEASE.version;
const LANGUAGE = "check-in-language";
const DECODER = RELEASE.decoder ? `${PREFIX}decoder:${RELEASE.decoder.folder}` : null;
const PAGES = [
  ["today", /^\/today\/?$/u],
  ["roster", /^\/sessions\/\d+\/attendance$/u],
  ["headcount", /^\/sessions\/\d+\/headcount$/u],
  ["close", /^\/sessions\/\d+\/close$/u],
  ["results", /^\/offerings\/\d+\/assessment$/u],
];
const FILE = /\.\w+$|\/export\/\w+$|\/file$/u; // what a browser saves, and does not show
const PATIENCE_MS = 5000; // a network that answers later than this is no network to somebody at a door
const AWAY = new Set([502, 503, 504]); // a proxy answers, and the server behind it does not

async function keepFiles() {
  const cache = await caches.open(KEPT);
  await cache.addAll(RELEASE.files.map((name) => RELEASE.folder + name));
}

// Without the decoder the page works, and reads tickets with the browser's own reader or from photos: what could not
// be fetched is fetched when the roster or Today is next opened with a network.
async function keepDecoder() {
  if (!DECODER) return;
  try {
    const cache = await caches.open(DECODER);
    const addresses = RELEASE.decoder.files.map((name) => RELEASE.decoder.folder + name);
    const kept = await Promise.all(addresses.map((address) => cache.match(address, { ignoreVary: true })));
    await cache.addAll(addresses.filter((_, place) => !kept[place]));
  } catch {
    // No network, or no room.
  }
}

async function install() {
  await keepFiles();
  await keepDecoder();
  await self.skipWaiting();
}

self.addEventListener("install", (event) => event.waitUntil(install()));

async function dropFormer() {
  const windows = await self.clients.matchAll({ type: "window", includeUncontrolled: true });
  const names = (await caches.keys()).filter((name) => name.startsWith(PREFIX) && ![KEPT, LANGUAGE].includes(name));
  const decoders = names.filter((name) => name.startsWith(`${PREFIX}decoder:`) && name !== DECODER);
  const releases = names.filter((name) => !name.startsWith(`${PREFIX}decoder:`)); // the newest last
  const old = windows.length ? releases.slice(0, -1) : [...releases, ...decoders];
  await Promise.all(old.map((name) => caches.delete(name)));
}

async function begin() {
  if (new URL(self.registration.scope).pathname !== "/") {
    await self.registration.unregister(); // it ruled /sessions/ alone; the one of the whole site takes its place
    return;
  }
  await dropFormer();
  await self.registration.navigationPreload?.enable();
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(begin()));

async function emptyPage(name, address) {
  const chosen = address.searchParams.get("lang");
  const noted = await caches.match("/sessions/offline/language"); // keep_pages.js writes it
  const language = chosen || (noted && (await noted.text())) || "zh";
  const cache = await caches.open(KEPT);
  const page = await cache.match(`${RELEASE.folder}${name}.${language === "en" ? "en" : "zh"}.html`);
  return page || Response.error();
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

async function keptPage(name, request, preload) {
  const answer = await ask(request, preload, PATIENCE_MS);
  return answer && answer.status < 500 ? answer : emptyPage(name, new URL(request.url));
}

async function otherPage(request, preload) {
  const answer = await ask(request, preload);
  return answer && !AWAY.has(answer.status) ? answer : emptyPage("network", new URL(request.url));
}

// A page of the former version may be open, and ask for its own files.
async function file(request, kept) {
  const cache = await caches.open(kept);
  const ours = await cache.match(request, { ignoreVary: true });
  return ours || (await caches.match(request, { ignoreVary: true })) || fetch(request);
}

function answerPage(event, address) {
  const { request } = event;
  const preload = Promise.resolve(event.preloadResponse);
  const [name] = PAGES.find(([, pattern]) => pattern.test(address.pathname)) || [];
  if (name) event.respondWith(keptPage(name, request, preload));
  // A browser that has asked for the file already would ask a second time if its answer was not taken.
  else if (self.registration.navigationPreload || !FILE.test(address.pathname)) {
    event.respondWith(otherPage(request, preload));
  }
  if (name === "roster" || name === "today") event.waitUntil(preload.catch(() => {}).then(keepDecoder));
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate") answerPage(event, address);
  else if (DECODER && address.pathname.startsWith(RELEASE.decoder.folder)) event.respondWith(file(request, DECODER));
  else if (address.pathname.startsWith("/sessions/offline/")) event.respondWith(file(request, KEPT));
});
