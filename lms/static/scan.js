// Scanning tickets: the camera stays open and reads one ticket after another, also without a network. Where no camera
// or no reader can be had, a photo is read, here or by the server.
import { Camera, problemOf } from "./camera.js";
import { openReader } from "./code_reader.js";
import { openDialog } from "./dialogs.js";
import { record } from "./roster_events.js";
import { root, texts } from "./roster_page.js";
import { rowOf } from "./roster_rows.js";
import { presence, state } from "./roster_state.js";
import { Signals } from "./scan_signals.js";
import { SeenCodes } from "./seen_codes.js";
import { fill } from "./texts.js";
import { sendPhoto } from "./ticket_photo.js";
import { ticketHash, ticketIn } from "./tickets.js";

const READ_EVERY_MS = 80; // twelve frames a second are enough, and spare the battery
const PROBLEMS = {
  refused: texts.textCameraRefused,
  missing: texts.textCameraMissing,
  busy: texts.textCameraBusy,
  unusable: texts.textNoCamera,
};
const dialog = root.querySelector("[data-scan-dialog]"); // missing where nobody can be checked in
const signals = new Signals();
let opening; // resolves with the reader: one for the page, so that the decoder is loaded once
let reader;
let turn = 0; // counts openings of the dialog: whatever an earlier one still waits for must not touch a later one

function showResult(text, tone = "") {
  const place = dialog.querySelector("[data-scan-result]");
  place.textContent = text;
  place.dataset.tone = tone;
  if (tone) signals.give(tone);
}

/** Say why the camera does not scan, unless a photo was read meanwhile: its result must stay. */
function showCameraProblem(text) {
  if (dialog.querySelector("[data-scan-result]").textContent === texts.textScan) showResult(text);
}

/** Check in whose ticket this is; a ticket that this device does not know is kept for the server to find. */
async function checkIn(text, method) {
  const ticket = ticketIn(text);
  if (!ticket) {
    showResult(texts.textNotATicket, "bad");
    return;
  }
  const hash = await ticketHash(ticket);
  const person = hash && state.roster?.people.find((other) => other.ticket === hash);
  if (!person) {
    await record({ method, ticket: hash ?? ticket });
    showResult(texts.textScannedUnknown, "warning");
    return;
  }
  const name = rowOf(person.enrolment)?.dataset.name ?? person.name;
  const { present } = presence.stateOf(person.enrolment);
  await record({ method, enrolment: person.enrolment });
  if (present) showResult(fill(texts.textScannedAgain, { name }), "info");
  else showResult(fill(texts.textScanned, { name }), "good");
}

async function theReader() {
  opening ??= openReader(texts.decoder);
  reader = await opening;
  if (!reader) opening = null;
  return reader;
}

/** The open camera, or null; why there is none is said. */
async function openCamera() {
  try {
    return await Camera.open();
  } catch (error) {
    showCameraProblem(PROBLEMS[problemOf(error)]);
    return null;
  }
}

/** Whether the dialog is still open as it was in a turn. */
function isOpen(since) {
  return dialog.open && turn === since;
}

/** Resolves when the page is looked at, or when the dialog is closed. */
function seenAgain() {
  return new Promise((resolve) => {
    document.addEventListener("visibilitychange", resolve, { once: true });
    dialog.addEventListener("close", resolve, { once: true });
  });
}

function offerTorch(camera) {
  const torch = dialog.querySelector("[data-torch]");
  torch.checked = false;
  torch.closest("label").hidden = !camera.hasTorch;
  torch.onchange = async () => {
    if (!(await camera.setTorch(torch.checked))) torch.checked = false;
  };
}

/** Let no phone go dark while tickets are held before it: nobody taps it. */
async function stayAwake(since) {
  try {
    const lock = await navigator.wakeLock.request("screen");
    if (isOpen(since)) dialog.addEventListener("close", () => lock.release(), { once: true });
    else await lock.release();
  } catch {
    // An older browser, or a battery that is low.
  }
}

/** Read what the camera shows until the dialog is closed, the page is not looked at, or the camera is gone. */
async function readFrames(video, camera, seen, since) {
  while (isOpen(since) && !document.hidden && camera.isLive) {
    const began = performance.now();
    for (const text of await reader.read(video)) {
      if (isOpen(since) && seen.isNew(text, performance.now())) await checkIn(text, "scan");
    }
    const rest = began + READ_EVERY_MS - performance.now();
    await new Promise((resolve) => { setTimeout(resolve, Math.max(0, rest)); });
  }
}

/** Scan with an open camera. Resolves when the dialog is closed or the camera is gone. */
async function scanWith(camera, video, seen, since) {
  offerTorch(camera);
  await camera.showIn(video);
  video.hidden = false;
  while (isOpen(since) && camera.isLive) {
    stayAwake(since);
    await readFrames(video, camera, seen, since);
    if (isOpen(since) && document.hidden) {
      camera.pause(true);
      await seenAgain();
      camera.pause(false);
    }
  }
}

/** Scan until the dialog is closed; say so where another app takes the camera meanwhile. */
async function scan(video) {
  if (!navigator.mediaDevices?.getUserMedia) {
    showCameraProblem(texts.textNoCamera);
    return;
  }
  turn += 1;
  const since = turn;
  const [camera, opened] = await Promise.all([openCamera(), theReader()]);
  if (!camera) return;
  const close = () => camera.close();
  if (!opened || !isOpen(since)) {
    close();
    if (isOpen(since)) showCameraProblem(texts.photo ? texts.textNoDecoder : texts.textNoReader);
    return;
  }
  dialog.addEventListener("close", close, { once: true });
  try {
    await scanWith(camera, video, new SeenCodes(), since);
    if (isOpen(since)) showResult(texts.textCameraBusy);
  } catch {
    if (isOpen(since)) showCameraProblem(texts.textNoCamera);
  }
  close();
  if (isOpen(since)) video.hidden = true;
}

/** The codes that this device finds in a photo: none where the server has to look. */
async function codesIn(file) {
  try {
    const bitmap = await createImageBitmap(file);
    return (await (await theReader())?.readPhoto(bitmap)) ?? [];
  } catch {
    return [];
  }
}

async function readPhoto(file) {
  showResult(texts.textReading);
  const [code] = await codesIn(file);
  if (code) {
    await checkIn(code, "photo");
    return;
  }
  if (!texts.photo) {
    showResult(reader ? texts.textPhotoEmpty : texts.textNoReader, "bad");
    return;
  }
  try {
    const { ok, answer } = await sendPhoto(texts.photo, file);
    showResult(ok ? answer.message : answer.detail, ok ? "good" : "bad");
    if (ok) document.dispatchEvent(new CustomEvent("photographed", { detail: answer }));
  } catch {
    showResult(texts.textPhotoFailed, "bad");
  }
}

function listen() {
  const video = dialog.querySelector("[data-video]");
  const sound = dialog.querySelector("[data-sound]");
  sound.checked = !signals.silent;
  sound.addEventListener("change", () => { signals.silent = !sound.checked; });
  const button = root.querySelector("[data-scan]");
  button.addEventListener("click", (click) => {
    click.preventDefault();
    signals.unlock();
    showResult(texts.textScan);
    openDialog(dialog, button);
    scan(video);
  });
  dialog.addEventListener("close", () => {
    turn += 1;
    video.hidden = true;
    video.srcObject = null;
    signals.rest();
  });
  dialog.querySelector("[data-photo-input]").addEventListener("change", (change) => {
    const [file] = change.target.files;
    if (file) readPhoto(file);
    change.target.value = "";
  });
}

if (dialog?.showModal) listen();
