// Keeps the page of offline verification and what it needs. The network comes first; what is kept answers without it.
const KEPT = "verify-offline-2";
const FILES = [
  "offline.js", "certificate_types.js", "offline_verification.js", "names.js", "reading.js", "times.js", "verify.css",
  "icon.svg",
];

self.addEventListener("install", (event) => {
  const addresses = ["/verify/offline", "/.well-known/jwks.json", ...FILES.map((name) => `/static/${name}`)];
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(addresses)));
  self.skipWaiting();
});

async function begin() {
  const old = (await caches.keys()).filter((name) => name.startsWith("verify-offline-") && name !== KEPT);
  await Promise.all(old.map((name) => caches.delete(name)));
  await self.clients.claim();
}

self.addEventListener("activate", (event) => event.waitUntil(begin()));

async function answer(request) {
  const cache = await caches.open(KEPT);
  try {
    const fresh = await fetch(request);
    if (fresh.ok) await cache.put(request, fresh.clone());
    return fresh;
  } catch {
    return (await cache.match(request, { ignoreSearch: true, ignoreVary: true })) ?? Response.error();
  }
}

self.addEventListener("fetch", (event) => {
  if (event.request.method === "GET") event.respondWith(answer(event.request));
});

// The lists were fetched before this worker was there; fetch them for keeping.
self.addEventListener("message", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => Promise.all(event.data.map((address) => (
    cache.add(address).catch(() => {}) // one that is missing must not keep the others away
  )))));
});
