// The instructor's screen with the check-in code. Each code is drawn in its own ten seconds of the server's time.
// The codes of the next two minutes are at hand, so whoever scans does not notice a short loss of the network.
import { modulePath, QUIET } from "./qr_drawing.js";
import { ServerClock } from "./server_clock.js";
import { fill } from "./texts.js";

const STEP_MS = 10000; // as long as one code holds
const SILENT_MS = 15000; // a stream that said nothing for so long is taken for dead
const ANSWER_MS = 5000; // an answer of the server that takes longer is not waited for
const WAITS_MS = [2000, 2000, 3000, 5000]; // before the next question, by the number of failures in a row
const STREAM_AGAIN_MS = 60000;
const BEAT_MS = 250;

const { body } = document;
const texts = body.dataset;
const part = (name) => document.querySelector(`[data-${name}]`);
const clock = new ServerClock(() => performance.now());
const codes = new Map(); // number of the ten seconds → bits of the code
let side = 0; // modules in a row of the code
let drawn = ""; // bits of the code that is drawn
let ended = false; // the server gives no codes any more
let signedOut = false;
let etag = "";
let heardAt = performance.now();
let failures = 0;
let stream = null;
let streamAfter = 0;
let isAsking = false;
let askAfter = 0;

function draw(bits) {
  part("modules").setAttribute("d", modulePath(bits, side));
  part("code").setAttribute("viewBox", `0 0 ${side + 2 * QUIET} ${side + 2 * QUIET}`);
  drawn = bits;
}

function listItem(name, time) {
  const item = document.createElement("li");
  item.textContent = time ? `${name} ` : name;
  if (time) item.append(Object.assign(document.createElement("span"), { textContent: time }));
  return item;
}

function showPeople(name, items) {
  part(`number="${name}"`).textContent = items.length;
  part(`list="${name}"`).replaceChildren(...items);
}

function takeState(state) {
  ended = state.codes.length === 0;
  if (ended) codes.clear();
  if (state.side) side = state.side;
  state.codes.forEach(([step, bits]) => codes.set(step, bits));
  showPeople("present", state.present.map(([name, time]) => listItem(name, time)));
  showPeople("missing", state.missing.map((name) => listItem(name)));
  part("waiting").hidden = !state.waiting;
  part("waiting").textContent = fill(texts.textWaiting, { number: state.waiting });
  show();
}

function heard(sent) {
  heardAt = performance.now();
  failures = 0;
  signedOut = false;
  clock.learn(sent);
}

/** What is wrong, or nothing. `hasCode`: whether a code is at hand for this moment. */
function trouble(now, hasCode) {
  if (ended) return texts.textGone;
  if (signedOut) return texts.textSignIn;
  if (!hasCode) return texts.textOut;
  if (failures <= 1) return "";
  const lastStep = Math.max(...codes.keys());
  return fill(texts.textAway, { seconds: Math.max(0, Math.round(((lastStep + 1) * STEP_MS - now) / 1000)) });
}

/** Draw the code of this moment, and say what is wrong if anything is. */
function show() {
  if (!clock.isSet) return;
  const now = clock.now();
  const currentStep = Math.floor(now / STEP_MS);
  for (const step of codes.keys()) if (step < currentStep) codes.delete(step);
  const bits = codes.get(currentStep);
  part("code").hidden = !bits;
  part("left").hidden = !bits;
  part("left").value = (STEP_MS - (now % STEP_MS)) / 1000;
  if (bits && drawn !== bits) draw(bits);
  const early = part("opens");
  if (early) early.hidden = now >= Number(early.dataset.opens);
  const text = trouble(now, Boolean(bits));
  const place = part("trouble");
  place.hidden = !text;
  if (place.textContent !== text) place.textContent = text;
}

async function takeAnswer(answer) {
  const sent = Number(answer.headers.get("Server-Time"));
  if (answer.status === 200) {
    const state = await answer.json();
    heard(sent);
    etag = answer.headers.get("ETag") ?? "";
    takeState(state);
  } else if (answer.status === 304) heard(sent);
  else if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) signedOut = true;
  else failures += 1;
}

async function ask() {
  if (isAsking) return;
  isAsking = true;
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ANSWER_MS);
  try {
    const headers = etag ? { "If-None-Match": etag } : {};
    const { signal } = abort;
    await takeAnswer(await fetch(texts.state, { headers, cache: "no-store", redirect: "manual", signal }));
  } catch {
    failures += 1;
  } finally {
    clearTimeout(timer);
    isAsking = false;
    askAfter = performance.now() + WAITS_MS[Math.min(failures, WAITS_MS.length - 1)];
    show();
  }
}

/** Listen to the stream; where it fails, or the server can spare none, the page asks instead. */
function listen() {
  stream?.close();
  streamAfter = performance.now() + STREAM_AGAIN_MS;
  stream = new EventSource(texts.stream);
  stream.onmessage = (event) => {
    const state = JSON.parse(event.data);
    heard(state.now);
    takeState(state);
  };
}

function beat() {
  const now = performance.now();
  const isListening = stream !== null && stream.readyState === EventSource.OPEN && now - heardAt < SILENT_MS;
  if (!isListening && now >= askAfter) ask();
  const hasStream = stream !== null && stream.readyState !== EventSource.CLOSED;
  if (window.EventSource && !hasStream && now >= streamAfter) listen();
  show();
}

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // Not allowed here: the device's own settings decide when the screen goes dark.
  }
}

function wake() {
  if (document.visibilityState !== "visible") return;
  stayAwake();
  ask();
}

const full = part("full");
full.hidden = !document.fullscreenEnabled;
full.addEventListener("click", () => body.requestFullscreen());
document.addEventListener("visibilitychange", wake);
window.addEventListener("online", wake);
window.addEventListener("pageshow", wake);
setInterval(beat, BEAT_MS);
wake();
