// Keeps the page of a session working without a network. It rules the addresses under /sessions/ and touches two
// kinds. The roster of a session is asked from the network first; where that fails, an empty page of ours answers
// (its script fills it from what this device keeps). That page's own scripts and styles come from what is kept.
// Nothing that names anybody is ever kept here.
//
// The server writes RELEASE above this text: a version, the folder of its files, and the files; and the folder and the
// files of the decoder of QR codes, or null where there is none. A new version waits until no page of the old version
// is open, so an open page never loses the files that it runs on. The decoder is kept apart: a new version has mostly
// the same one, which is large.
const PREFIX = "check-in-";
const KEPT = PREFIX + RELEASE.version;
const LANGUAGE = "check-in-language";
const DECODER = RELEASE.decoder ? `${PREFIX}decoder:${RELEASE.decoder.folder}` : null;
const ROSTER = /^\/sessions\/\d+\/attendance$/u;
const PATIENCE_MS = 5000; // a network that answers later than this is no network to somebody at a door

async function keepFiles() {
  const cache = await caches.open(KEPT);
  await cache.addAll(RELEASE.files.map((name) => RELEASE.folder + name));
}

// Without the decoder the page works, and reads tickets with the browser's own reader or from photos: what could not
// be fetched is fetched when the roster is next opened with a network.
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

self.addEventListener("install", (event) => event.waitUntil(keepFiles().then(keepDecoder)));

async function begin() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && ![KEPT, LANGUAGE, DECODER].includes(name));
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(begin()));

async function emptyPage(address) {
  const chosen = address.searchParams.get("lang");
  const noted = await caches.match("/sessions/offline/language"); // roster.js writes it
  const language = chosen || (noted && (await noted.text())) || "zh";
  const cache = await caches.open(KEPT);
  const page = await cache.match(`${RELEASE.folder}${language === "en" ? "en" : "zh"}.html`);
  return page || Response.error();
}

async function roster(request) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, PATIENCE_MS); });
  try {
    const answer = await Promise.race([fetch(request), late]);
    if (answer && answer.status < 500) return answer;
  } catch {
    // No network.
  } finally {
    clearTimeout(timer);
  }
  return emptyPage(new URL(request.url));
}

async function file(request, kept) {
  const cache = await caches.open(kept);
  return (await cache.match(request, { ignoreVary: true })) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate" && ROSTER.test(address.pathname)) {
    event.respondWith(roster(request));
    event.waitUntil(keepDecoder());
  } else if (address.pathname.startsWith(RELEASE.folder)) event.respondWith(file(request, KEPT));
  else if (DECODER && address.pathname.startsWith(RELEASE.decoder.folder)) event.respondWith(file(request, DECODER));
});
