// Keeps the page of offline verification and what it needs. The network comes first; what is kept answers without it.
const KEPT = "verify-offline-1";

self.addEventListener("install", (event) => {
  const page = ["/verify/offline", "/static/verify.css", "/static/offline.js", "/static/icon.svg"];
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll([...page, "/.well-known/jwks.json"])));
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

// The lists were fetched before this worker was there; fetch them for keeping.
self.addEventListener("message", (event) => {
  event.waitUntil(caches.open(KEPT).then((cache) => cache.addAll(event.data)));
});
