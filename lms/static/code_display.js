// The instructor's screen. Each code is drawn in its own ten seconds of the server's time, which is reckoned from the
// server's answers and performance.now() alone: this device's clock may be wrong by hours. The codes of the next two
// minutes are at hand, so a short loss of the network is not seen by whoever scans.
const STEP = 10000;
const QUIET = 4;
const KEPT = 12; // answers from which the time is reckoned
const SILENT = 15000; // a stream that said nothing for so long is taken for dead
const LATE = 5000; // an answer of the server that takes longer is not waited for
const WAITS = [2000, 2000, 3000, 5000];
const STREAM_AGAIN = 60000;

const body = document.body;
const text = body.dataset;
const part = (name) => document.querySelector(`[data-${name}]`);
const codes = new Map();
const reckoned = [];
let side = 0;
let drawn = 0;
let gone = false;
let signedOut = false;
let tag = "";
let heard = performance.now();
let failures = 0;
let source = null;
let streamAfter = 0;
let asking = false;
let askAt = 0;

/** The server's time. Each answer gives it too early, by the way that it came; the least late of the last ones is kept. */
function serverNow() {
  return performance.now() + Math.max(...reckoned);
}

function reckon(sent) {
  reckoned.push(sent - performance.now());
  if (reckoned.length > KEPT) reckoned.shift();
}

function draw(bits) {
  const octets = atob(bits);
  let path = "";
  for (let place = 0; place < side * side; place += 1) {
    if ((octets.charCodeAt(place >> 3) >> (7 - (place & 7))) & 1) {
      path += `M${(place % side) + QUIET} ${Math.floor(place / side) + QUIET}h1v1h-1z`;
    }
  }
  part("modules").setAttribute("d", path);
  part("code").setAttribute("viewBox", `0 0 ${side + 2 * QUIET} ${side + 2 * QUIET}`);
}

function fill(name, people, line) {
  part(`number="${name}"`).textContent = people.length;
  part(`list="${name}"`).replaceChildren(...people.map(line));
}

function item(name, time) {
  const made = document.createElement("li");
  made.textContent = time ? `${name} ` : name;
  if (time) made.append(Object.assign(document.createElement("span"), { textContent: time }));
  return made;
}

function take(state) {
  gone = state.codes.length === 0;
  if (gone) codes.clear();
  if (state.side) side = state.side;
  state.codes.forEach(([step, bits]) => codes.set(step, bits));
  fill("present", state.present, ([name, time]) => item(name, time));
  fill("missing", state.missing, (name) => item(name));
  part("waiting").hidden = !state.waiting;
  part("waiting").textContent = text.textWaiting.replace("{number}", state.waiting);
  show();
}

function answered(sent) {
  heard = performance.now();
  failures = 0;
  signedOut = false;
  reckon(sent);
}

/** Draw the code of now, and say what is wrong if anything is. */
function show() {
  if (!reckoned.length) return;
  const now = serverNow();
  const step = Math.floor(now / STEP);
  codes.forEach((_bits, old) => old < step && codes.delete(old));
  const bits = codes.get(step);
  part("code").hidden = part("left").hidden = !bits;
  part("left").value = 10 - (now % STEP) / 1000;
  if (bits && drawn !== bits) {
    draw(bits);
    drawn = bits;
  }
  const early = part("opens");
  if (early) early.hidden = now >= Number(early.dataset.opens);
  let words = "";
  if (gone) words = text.textGone;
  else if (signedOut) words = text.textSignIn;
  else if (!bits) words = text.textOut;
  else if (failures > 1) {
    const last = Math.max(...codes.keys());
    words = text.textAway.replace("{seconds}", Math.max(0, Math.round(((last + 1) * STEP - now) / 1000)));
  }
  const trouble = part("trouble");
  trouble.hidden = !words;
  if (trouble.textContent !== words) trouble.textContent = words;
}

async function ask() {
  if (asking) return;
  asking = true;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), LATE);
  try {
    const headers = tag ? { "If-None-Match": tag } : {};
    const answer = await fetch(text.state, { headers, cache: "no-store", redirect: "manual", signal: late.signal });
    const sent = Number(answer.headers.get("Server-Time"));
    if (answer.status === 200) {
      const state = await answer.json();
      answered(sent);
      tag = answer.headers.get("ETag") ?? "";
      take(state);
    } else if (answer.status === 304) answered(sent);
    else if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) signedOut = true;
    else failures += 1;
  } catch {
    failures += 1;
  } finally {
    clearTimeout(timer);
    asking = false;
    askAt = performance.now() + WAITS[Math.min(failures, WAITS.length - 1)];
    show();
  }
}

/** Listen to the stream; where it fails, or the server can spare none, the timer below asks instead. */
function listen() {
  source?.close();
  streamAfter = performance.now() + STREAM_AGAIN;
  source = new EventSource(text.stream);
  source.onmessage = (event) => {
    const state = JSON.parse(event.data);
    answered(state.now);
    take(state);
  };
}

function beat() {
  const now = performance.now();
  const listening = source !== null && source.readyState === EventSource.OPEN && now - heard < SILENT;
  if (!listening && now >= askAt) ask();
  if (window.EventSource && (source === null || source.readyState === EventSource.CLOSED) && now >= streamAfter) listen();
  show();
}

async function stayAwake() {
  try {
    await navigator.wakeLock?.request("screen");
  } catch {
    // Not allowed here: the device's own settings decide when the screen goes dark.
  }
}

function look() {
  if (document.visibilityState !== "visible") return;
  stayAwake();
  ask();
}

const full = part("full");
full.hidden = !document.fullscreenEnabled;
full.addEventListener("click", () => body.requestFullscreen());
document.addEventListener("visibilitychange", look);
window.addEventListener("online", look);
window.addEventListener("pageshow", look);
setInterval(beat, 250);
look();
