// The page that verifies certificates without us: keys and signed status lists are fetched once, the rest happens
// in this browser. offline-worker.js keeps the page.
import { describe, readTypes } from "./certificate_types.js";
import { canVerify, judge, nameFits, readKeys, readList } from "./offline_verification.js";
import { digitsIn } from "./reading.js";
import { isoDay } from "./times.js";

const root = document.querySelector("[data-offline]");
const { zone, lists: listCount } = root.dataset;
const text = (name) => root.dataset[name];
const TYPES = "/.well-known/certificate-types.json";
const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
const listNumbers = [...Array(Number(listCount)).keys()];

/** The published table of types and units, or null where it cannot be had: the numbers are shown then. */
async function loadTypes(keys) {
  try {
    return await readTypes(await (await fetch(TYPES)).json(), keys);
  } catch {
    return null;
  }
}

/** Fetch the published keys, lists and types. Throws where keys or lists cannot be had or believed. */
async function load() {
  const keys = readKeys(await (await fetch("/.well-known/jwks.json")).json());
  const lists = [];
  for (const number of listNumbers) {
    for (const purpose of ["revocation", "superseded"]) {
      const response = await fetch(`/status/${purpose}/${number}`);
      if (response.ok) lists.push(await readList(await response.text(), keys));
    }
  }
  return { keys, lists, types: await loadTypes(keys) };
}

function momentText(moment) {
  const format = { dateStyle: "short", timeStyle: "short", timeZone: zone };
  return new Intl.DateTimeFormat(document.documentElement.lang, format).format(new Date(moment));
}

function showVerdict({ state, reason, asOf }) {
  const box = root.querySelector("[data-verdict]");
  // Out of date is never the full green: what was valid then may have been revoked since.
  box.className = `verdict ${reason === "stale" && state === "valid" ? "expired" : state}`;
  box.hidden = false;
  box.querySelector("h2").textContent = text(`state_${reason === "unreadable" ? reason : state}`);
  const facts = [reason ? text(`reason_${reason}`) : ""];
  if (asOf) facts.push(`${text("asOf")} ${momentText(asOf)}`);
  box.querySelector("p").textContent = facts.filter(Boolean).join(" · ");
}

/** Show what was signed: a genuine code of another type on this paper is a forgery too. */
function showSigned(payload, types) {
  const list = root.querySelector("[data-signed]");
  list.hidden = !payload;
  if (!payload) return;
  const { type, unit, number } = describe(payload, types, language);
  const facts = {
    type: type ?? `${text("typeNumber")} ${payload.type}`,
    unit: unit ?? `${text("unitNumber")} ${payload.unit}`,
    number: number ?? `${text("serial")} ${payload.serial}`,
    issued: payload.issued,
    last: payload.last ?? text("noEnd"),
  };
  for (const [name, value] of Object.entries(facts)) list.querySelector(`[data-fact=${name}]`).textContent = value;
}

async function showName(name, payload) {
  const line = root.querySelector("[data-name]");
  line.hidden = !name || !payload;
  if (line.hidden) return;
  const fits = await nameFits(name, payload);
  line.className = `answer ${fits ? "yes" : "no"}`;
  line.textContent = fits ? `✓ ${text("nameYes")}` : `✕ ${text("nameNo")}`;
}

async function verify(form, published) {
  const now = Date.now();
  const verdict = await judge(digitsIn(form.elements.code.value), published, { today: isoDay(now, zone), now });
  showVerdict(verdict);
  showSigned(verdict.payload, published.types);
  await showName(form.elements.name.value, verdict.payload);
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
    await new Promise((resolve) => { requestAnimationFrame(resolve); });
  }
  stream.getTracks().forEach((track) => track.stop());
}

/** See to it that this page opens without a network. */
async function keep() {
  await navigator.serviceWorker.register("/verify/offline-worker.js", { scope: "/verify/offline" });
  const { active } = await navigator.serviceWorker.ready;
  const lists = listNumbers.flatMap((number) => [`/status/revocation/${number}`, `/status/superseded/${number}`]);
  active.postMessage([...lists, TYPES]);
}

function listen(published) {
  const form = root.querySelector("form");
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    verify(form, published);
  });
  const button = root.querySelector("[data-scan]");
  const noCamera = root.querySelector("[data-no-camera]");
  const canScan = Boolean("BarcodeDetector" in window && navigator.mediaDevices);
  noCamera.hidden = canScan;
  button.hidden = !canScan;
  button.addEventListener("click", () => { scan(form).catch(() => { noCamera.hidden = false; }); });
  form.querySelector("[type=submit]").disabled = false;
}

async function begin() {
  const note = root.querySelector("[data-told]");
  if (!(await canVerify())) {
    note.textContent = text("unable");
    return;
  }
  keep().catch(() => {}); // without the worker the page works until it is closed
  let published;
  try {
    published = await load();
  } catch {
    note.textContent = text("notLoaded");
    return;
  }
  const [asOf] = published.lists.map((list) => list.madeAt).sort();
  note.textContent = `${text("ready")} ${asOf ? momentText(asOf) : "–"}`;
  note.dataset.told = "yes";
  listen(published);
}

begin();
