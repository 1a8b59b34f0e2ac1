// The page that verifies certificates without us: keys and signed status lists are fetched once, the rest happens
// in this browser. offline-worker.js keeps the page, and answers with it where a scanned code has no network.
import { describe } from "./certificate_types.js";
import { keepOffline } from "./keep_offline.js";
import { loadPublished } from "./offline_data.js";
import { CodeScanner } from "./offline_scan.js";
import { canVerify, judge, nameFits } from "./offline_verification.js";
import { digitsIn } from "./reading.js";
import { isoDay } from "./times.js";

const root = document.querySelector("[data-offline]");
const { zone, lists: listCount } = root.dataset;
const text = (name) => root.dataset[name];
const language = document.documentElement.lang.startsWith("en") ? "en" : "zh";
const SCANNED = "/v/"; // the address of a code: this page answers there while there is no network

function momentText(moment) {
  const format = { dateStyle: "short", timeStyle: "short", timeZone: zone };
  return new Intl.DateTimeFormat(document.documentElement.lang, format).format(new Date(moment));
}

function showVerdict({ state, reason, asOf }) {
  const box = root.querySelector("[data-verdict]");
  // Out of date, or without its list, is never the full green: what was valid then may have been revoked since.
  box.className = `verdict ${reason && state === "valid" ? "expired" : state}`;
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

function listen(published) {
  const form = root.querySelector("form");
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    verify(form, published);
  });
  form.querySelector("[type=submit]").disabled = false;
  new CodeScanner(root, (code) => {
    form.elements.code.value = code;
    form.elements.name.value = "";
    verify(form, published);
  }).listen();
  if (!location.pathname.startsWith(SCANNED)) return;
  const scanned = location.pathname.slice(SCANNED.length);
  form.elements.code.value = digitsIn(scanned) ?? scanned;
  verify(form, published);
}

async function begin() {
  document.querySelector("[data-away]").hidden = location.pathname.startsWith("/verify/offline");
  const note = root.querySelector("[data-told]");
  if (!(await canVerify())) {
    note.textContent = text("unable");
    return;
  }
  const keeping = keepOffline(document.documentElement.lang, true);
  let published;
  try {
    published = await loadPublished(Number(listCount));
  } catch {
    note.textContent = text("notLoaded");
    return;
  }
  listen(published);
  note.dataset.told = "yes";
  const isKept = await keeping;
  const [asOf] = published.lists.map((list) => list.madeAt).sort();
  note.textContent = `${text(isKept ? "ready" : "loaded")} ${asOf ? momentText(asOf) : "–"}`;
  note.dataset.kept = isKept ? "yes" : "no";
}

begin();
