// Keeps the page of offline verification and what it needs. The network comes first; what is kept answers without it.
const KEPT = "verify-offline-1";
const FILES = [
  "camera.js", "code_reader.js", "frames.js", "names.js", "offline.js", "offline_verification.js", "times.js",
  "verify.css", "icon.svg",
];
const PAGES = ["/verify/offline", "/verify/offline-decoding-worker.js", "/.well-known/jwks.json"];

self.addEventListener("install", (event) => {
  const addresses = [...PAGES, ...FILES.map((name) => `/static/${name}`)];
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(addresses)));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

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

// The lists were fetched before this worker was there; fetch them for keeping, and the decoder of QR codes.
self.addEventListener("message", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(event.data)));
});
