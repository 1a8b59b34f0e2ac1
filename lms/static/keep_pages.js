// The pages of a session open without a network: session-worker.js keeps them, for the whole site.
const LANGUAGE_CACHE = "check-in-language"; // session-worker.js reads it
const WORKER = "/sessions/worker.js";
const FORMER_SCOPE = "/sessions/";

/** Resolves once the page is loaded: until then its own files have the network to themselves. */
function loaded() {
  return new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    else addEventListener("load", () => resolve(), { once: true });
  });
}

/** The worker that ruled /sessions/ alone would answer there before the one of the whole site. */
async function endFormer() {
  const registrations = await navigator.serviceWorker.getRegistrations();
  const former = registrations.filter(({ scope }) => new URL(scope).pathname === FORMER_SCOPE);
  await Promise.all(former.map((registration) => registration.unregister()));
}

/**
 * See to it that the pages open without a network, in the language of this page. False where the browser cannot do
 * that; the outbox works all the same.
 */
export async function keepPages(language) {
  if (!("serviceWorker" in navigator)) return false;
  try {
    await loaded();
    const cache = await caches.open(LANGUAGE_CACHE);
    await cache.put("/sessions/offline/language", new Response(language));
    await endFormer();
    await navigator.serviceWorker.register(WORKER, { scope: "/" });
    await navigator.serviceWorker.ready;
    return true;
  } catch {
    return false; // private browsing, or a page that is not served securely
  }
}
