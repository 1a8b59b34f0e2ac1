// Keeps the session page working without a network. It rules addresses under /sessions/ and touches two kinds: a session's
// roster, asked from the network first and answered with an empty page of ours where that fails (its script fills it from
// what this device keeps), and that page's own scripts and styles. Nothing that anybody's name is in is ever kept here.
//
// RELEASE is written above by the server: a version, the folder of its files, and the files. A new version waits until no
// page of the old one is open, so an open session never loses what it runs on.
const PREFIX = "check-in-";
const KEPT = PREFIX + RELEASE.version;
const LANGUAGE = "check-in-language";
const ROSTER = /^\/sessions\/\d+\/attendance$/;
const PATIENCE = 5000; // ms: a network that answers later than this is no network to somebody at a door

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(RELEASE.files.map((file) => RELEASE.folder + file))));
});

async function begin() {
  const names = await caches.keys();
  const old = names.filter((name) => name.startsWith(PREFIX) && name !== KEPT && name !== LANGUAGE);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(begin()));

async function empty(address) {
  const asked = address.searchParams.get("lang");
  const noted = await caches.match("/sessions/offline/language");
  const language = asked || (noted && (await noted.text())) || "zh";
  const cache = await caches.open(KEPT);
  const found = await cache.match(`${RELEASE.folder}${language === "en" ? "en" : "zh"}.html`);
  return found || Response.error();
}

async function roster(request) {
  let timer;
  const late = new Promise((resolve) => { timer = setTimeout(resolve, PATIENCE); });
  try {
    const answer = await Promise.race([fetch(request), late]);
    if (answer && answer.status < 500) return answer;
  } catch {
    // No network.
  } finally {
    clearTimeout(timer);
  }
  return empty(new URL(request.url));
}

async function file(request) {
  const cache = await caches.open(KEPT);
  return (await cache.match(request, { ignoreVary: true })) || fetch(request);
}

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const address = new URL(request.url);
  if (request.method !== "GET" || address.origin !== self.location.origin) return;
  if (request.mode === "navigate" && ROSTER.test(address.pathname)) event.respondWith(roster(request));
  else if (address.pathname.startsWith(RELEASE.folder)) event.respondWith(file(request));
});
