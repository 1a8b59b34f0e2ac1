// Verification without us: keys and signed status lists are fetched once, the rest happens in this browser.
// The order of the answers is that of the specification; certificates/verification/offline.py is the same in Python.

const root = document.querySelector("[data-offline]");
const text = (name) => root.dataset[name];
const LIST_BITS = 17;
const DAY = 86400000;
const EPOCH = Date.UTC(2020, 0, 1);
const encoder = new TextEncoder();

const ascii = (words) => encoder.encode(words);
const join = (...parts) => new Uint8Array(parts.flatMap((part) => [...part]));
const day = (count) => new Date(EPOCH + count * DAY).toISOString().slice(0, 10);

function fromBase64(words) {
  const plain = atob(words.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

async function signed(key, signature, message) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

async function able() {
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "Ed25519" }, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

// The same form of a name as on the server: see lms/core/names.py.
export function norm(name) {
  return name.normalize("NFKC").replace(/[\p{Zs}\t\n\v\f\r·•・]/gu, "").toUpperCase();
}

async function nameTag(name, serial) {
  const salt = join(ascii("BJRC-NAME/1"), serial);
  const key = await crypto.subtle.importKey("raw", ascii(norm(name)), "PBKDF2", false, ["deriveBits"]);
  const derive = { name: "PBKDF2", hash: "SHA-256", salt, iterations: 20000 };
  return new Uint8Array(await crypto.subtle.deriveBits(derive, key, 48));
}

// 198 digits → 82 bytes, or null.
function decode(digits) {
  let number = BigInt(digits);
  const raw = new Uint8Array(82);
  for (let place = 81; place >= 0; place -= 1) {
    raw[place] = Number(number & 255n);
    number >>= 8n;
  }
  return number || raw[0] !== 0xb1 ? null : raw;
}

async function readList(token, keys) {
  const [head, body, signature] = token.trim().split(".");
  const header = JSON.parse(new TextDecoder().decode(fromBase64(head)));
  const kid = header.kid.split("#").pop();
  if (header.alg !== "EdDSA" || !kid.startsWith("status-")) throw new Error("not a status list");
  if (!(await signed(fromBase64(keys.get(kid).x), fromBase64(signature), ascii(`${head}.${body}`)))) {
    throw new Error("a status list that was not signed by us");
  }
  const claims = JSON.parse(new TextDecoder().decode(fromBase64(body)));
  const packed = new Blob([fromBase64(claims.credentialSubject.encodedList.slice(1))]);
  const unpacked = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return {
    purpose: claims.credentialSubject.statusPurpose,
    number: Number(claims.id.split("/").pop()),
    bits: new Uint8Array(await new Response(unpacked).arrayBuffer()),
    madeAt: claims.validFrom,
    validUntil: claims.validUntil,
  };
}

async function load() {
  const set = await (await fetch("/.well-known/jwks.json")).json();
  // A key that others may have is believed for no list; codes have the ledger, so theirs stays known.
  const kept = set.keys.filter((key) => key.kid.startsWith("qr-") || key.state !== "compromised");
  const keys = new Map(kept.map((key) => [key.kid, key]));
  const lists = [];
  for (let number = 0; number < Number(root.dataset.lists); number += 1) {
    for (const purpose of ["revocation", "superseded"]) {
      const answer = await fetch(`/status/${purpose}/${number}`);
      if (answer.ok) lists.push(await readList(await answer.text(), keys));
    }
  }
  return { keys, lists };
}

function today() {
  return new Intl.DateTimeFormat("en-CA", { timeZone: root.dataset.zone }).format(new Date());
}

async function judge(digits, { keys, lists }) {
  const raw = digits === null ? null : decode(digits);
  if (raw === null) return { state: "unknown", reason: "unreadable" };
  const view = new DataView(raw.buffer);
  const serial = view.getUint32(4);
  const issued = day(view.getUint16(8));
  const last = view.getUint16(10) === 65535 ? null : day(view.getUint16(10));
  const found = { serial, issued, last, tag: raw.slice(12, 18), salt: raw.slice(4, 8) };
  const key = keys.get(`qr-${raw[1]}`);
  if (!key) return { state: "undecided", reason: "keyUnknown" };
  const message = join(ascii("BJRC-CERT-QR/1"), [0, 0], raw.slice(0, 18));
  if (!(await signed(fromBase64(key.x), raw.slice(18), message)) || issued < key.not_before || issued > key.not_after) {
    return { state: "forged", reason: "signature" };
  }
  if (key.state === "compromised") return { ...found, state: "undecided", reason: "compromised" };
  const number = serial >>> LIST_BITS;
  const place = serial & ((1 << LIST_BITS) - 1);
  const list = (purpose) => lists.find((one) => one.purpose === purpose && one.number === number);
  const on = (one) => Boolean(one && one.bits[place >> 3] & (0x80 >> (place & 7)));
  const used = [list("revocation"), list("superseded")];
  let state = "valid";
  if (on(used[0])) state = "revoked";
  else if (on(used[1])) state = "superseded";
  else if (last !== null && today() > last) state = "expired";
  else if (today() < issued) state = "not_yet_valid";
  if (!used[0] || !used[1]) return { ...found, state, reason: "listMissing" };
  const stale = used.some((one) => Date.parse(one.validUntil) < Date.now());
  const asOf = used.map((one) => one.madeAt).sort()[0];
  return { ...found, state, reason: stale ? "stale" : "", asOf };
}

function clock(moment) {
  const form = { dateStyle: "short", timeStyle: "short", timeZone: root.dataset.zone };
  return new Intl.DateTimeFormat(document.documentElement.lang, form).format(new Date(moment));
}

async function answer(form, known) {
  const digits = form.elements.code.value.normalize("NFKC").match(/(?<![0-9])[0-9]{198}(?![0-9])/)?.[0] ?? null;
  const found = await judge(digits, known);
  const box = root.querySelector("[data-verdict]");
  box.className = `verdict ${found.state}`;
  box.hidden = false;
  box.querySelector("h2").textContent = text(`state_${found.state}`);
  const lines = [found.reason ? text(`reason_${found.reason}`) : ""];
  if (found.issued) lines.push(`${found.issued} – ${found.last ?? "∞"}`);
  if (found.asOf) lines.push(`${text("asOf")} ${clock(found.asOf)}`);
  box.querySelector("p").textContent = lines.filter(Boolean).join(" · ");
  const name = form.elements.name.value;
  const told = root.querySelector("[data-name]");
  told.hidden = !name || !found.tag;
  if (told.hidden) return;
  const fits = (await nameTag(name, found.salt)).every((byte, place) => byte === found.tag[place]);
  told.className = `answer ${fits ? "yes" : "no"}`;
  told.textContent = fits ? `✓ ${text("nameYes")}` : `✕ ${text("nameNo")}`;
}

async function scan(form) {
  const video = root.querySelector("video");
  const reader = new window.BarcodeDetector({ formats: ["qr_code"] });
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  for (let codes = []; !video.hidden; codes = await reader.detect(video)) {
    if (codes.length) {
      form.elements.code.value = codes[0].rawValue;
      form.requestSubmit();
      video.hidden = true;
    }
    await new Promise((resolve) => requestAnimationFrame(resolve));
  }
  stream.getTracks().forEach((track) => track.stop());
}

async function keep() {
  await navigator.serviceWorker.register("/verify/offline-worker.js", { scope: "/verify/offline" });
  const { active } = await navigator.serviceWorker.ready;
  const numbers = [...Array(Number(root.dataset.lists)).keys()];
  active.postMessage(numbers.flatMap((number) => [`/status/revocation/${number}`, `/status/superseded/${number}`]));
}

async function begin() {
  const ready = root.querySelector("[data-told]");
  if (!(await able())) {
    ready.textContent = text("unable");
    return;
  }
  keep().catch(() => {}); // without it the page works until it is closed
  let known;
  try {
    known = await load();
  } catch {
    ready.textContent = text("notLoaded");
    return;
  }
  const moments = known.lists.map((one) => one.madeAt).sort();
  ready.textContent = `${text("ready")} ${moments.length ? clock(moments[0]) : "–"}`;
  ready.dataset.told = "yes";
  const form = root.querySelector("form");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    answer(form, known);
  });
  const button = root.querySelector("[data-scan]");
  const camera = "BarcodeDetector" in window && navigator.mediaDevices;
  root.querySelector("[data-no-camera]").hidden = Boolean(camera);
  button.hidden = !camera;
  button.addEventListener("click", () => scan(form).catch(() => (root.querySelector("[data-no-camera]").hidden = false)));
  form.querySelector("[type=submit]").disabled = false;
}

begin();
