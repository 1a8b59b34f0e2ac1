// Sees to it that a scanned code is answered without a network: offline-worker.js keeps the page that verifies in the
// browser, and what it needs. Nothing is fetched before the page that is open is whole.
const WORKER = "/verify/offline-worker.js";
const SCOPE = "/v"; // /v/<code> and /verify, as the start of an address
const FORMER_SCOPE = "/verify/offline";

/** Resolves once the page is loaded: until then its own files have the network to themselves. */
function loaded() {
  return new Promise((resolve) => {
    if (document.readyState === "complete") resolve();
    else addEventListener("load", () => resolve(), { once: true });
  });
}

/** The worker that ruled one page alone would answer there before the one of all pages of verification. */
async function endFormer() {
  const registrations = await navigator.serviceWorker.getRegistrations();
  const former = registrations.filter(({ scope }) => new URL(scope).pathname === FORMER_SCOPE);
  await Promise.all(former.map((registration) => registration.unregister()));
}

/** The worker of a registration once it rules. Rejects where it cannot be installed. */
function activeWorker({ active, installing, waiting }) {
  if (active) return active;
  const worker = installing ?? waiting;
  return new Promise((resolve, reject) => {
    worker.addEventListener("statechange", () => {
      if (worker.state === "activated") resolve(worker);
      else if (worker.state === "redundant") reject(new Error("the worker was not installed"));
    });
  });
}

/**
 * Keep the page that verifies in the browser, in the language of this page. `whole`: with the decoder of QR codes, and
 * with lists that are fetched now. Resolves with whether all that is needed is kept.
 */
export async function keepOffline(language, whole) {
  if (!("serviceWorker" in navigator)) return false;
  try {
    await loaded();
    await endFormer();
    const worker = await activeWorker(await navigator.serviceWorker.register(WORKER, { scope: SCOPE }));
    const { port1, port2 } = new MessageChannel();
    const answered = new Promise((resolve) => { port1.onmessage = ({ data }) => resolve(data); });
    worker.postMessage({ language, whole }, [port2]);
    return await answered;
  } catch {
    return Boolean(navigator.serviceWorker.controller); // no network now: what is kept is kept
  }
}
