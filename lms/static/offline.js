// The page that verifies certificates without us: keys and signed status lists are fetched once, the rest happens
// in this browser. offline-worker.js keeps the page.
import { canVerify, judge, nameFits, readKeys, readList } from "./offline_verification.js";
import { digitsIn } from "./reading.js";
import { isoDay } from "./times.js";

const root = document.querySelector("[data-offline]");
const { zone, lists: listCount } = root.dataset;
const text = (name) => root.dataset[name];
const listNumbers = [...Array(Number(listCount)).keys()];

/** Fetch the published keys and lists. Throws where one cannot be had or believed. */
async function load() {
  const keys = readKeys(await (await fetch("/.well-known/jwks.json")).json());
  const lists = [];
  for (const number of listNumbers) {
    for (const purpose of ["revocation", "superseded"]) {
      const response = await fetch(`/status/${purpose}/${number}`);
      if (response.ok) lists.push(await readList(await response.text(), keys));
    }
  }
  return { keys, lists };
}

function momentText(moment) {
  const format = { dateStyle: "short", timeStyle: "short", timeZone: zone };
  return new Intl.DateTimeFormat(document.documentElement.lang, format).format(new Date(moment));
}

function showVerdict({ state, reason, payload, asOf }) {
  const box = root.querySelector("[data-verdict]");
  box.className = `verdict ${state}`;
  box.hidden = false;
  box.querySelector("h2").textContent = text(`state_${reason === "unreadable" ? reason : state}`);
  const facts = [reason ? text(`reason_${reason}`) : ""];
  if (payload) facts.push(`${payload.issued} – ${payload.last ?? "∞"}`);
  if (asOf) facts.push(`${text("asOf")} ${momentText(asOf)}`);
  box.querySelector("p").textContent = facts.filter(Boolean).join(" · ");
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
  active.postMessage(listNumbers.flatMap((number) => [`/status/revocation/${number}`, `/status/superseded/${number}`]));
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
