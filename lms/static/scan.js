// Scanning tickets: the camera where the browser reads QR codes, else a photo, read here or by the server.
import { record } from "./roster_events.js";
import { root, texts } from "./roster_page.js";
import { rowOf } from "./roster_rows.js";
import { presence, state } from "./roster_state.js";
import { fill } from "./texts.js";
import { sendPhoto } from "./ticket_photo.js";
import { ticketHash, ticketIn } from "./tickets.js";

const LOOK_EVERY_MS = 200;
const SAME_AGAIN_MS = 4000; // before the same ticket counts as shown again
const dialog = root.querySelector("[data-scan-dialog]"); // missing where nobody can be checked in

function showResult(text, tone = "") {
  const place = dialog.querySelector("[data-scan-result]");
  place.textContent = text;
  place.dataset.tone = tone;
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
  navigator.vibrate?.(80);
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
  showResult(fill(present ? texts.textScannedAgain : texts.textScanned, { name }), "good");
}

/** The browser's own reader of QR codes, or null. */
async function qrReader() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const formats = await window.BarcodeDetector.getSupportedFormats();
    return formats.includes("qr_code") ? new window.BarcodeDetector({ formats: ["qr_code"] }) : null;
  } catch {
    return null;
  }
}

async function openCamera() {
  try {
    return await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch {
    return null;
  }
}

/** Read tickets from the camera until the dialog is closed. */
async function readCamera(video) {
  const reader = await qrReader();
  if (!reader || !navigator.mediaDevices?.getUserMedia) {
    showCameraProblem(texts.photo ? texts.textNoCamera : texts.textNoReader);
    return;
  }
  const stream = await openCamera();
  if (!stream) {
    showCameraProblem(texts.textNoCamera);
    return;
  }
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (!dialog.open) {
    stop();
    return;
  }
  dialog.addEventListener("close", stop, { once: true });
  video.srcObject = stream;
  video.hidden = false;
  await video.play();
  const seen = new Map(); // text of a code → when it was last before the camera
  while (dialog.open) {
    try {
      for (const { rawValue } of await reader.detect(video)) {
        const now = performance.now();
        const isNew = now - (seen.get(rawValue) ?? -SAME_AGAIN_MS) >= SAME_AGAIN_MS;
        seen.set(rawValue, now);
        if (isNew) await checkIn(rawValue, "scan");
      }
    } catch {
      // A frame that cannot be read yet; the next one comes at once.
    }
    await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY_MS); });
  }
}

async function readPhoto(file) {
  showResult(texts.textReading);
  const reader = await qrReader();
  try {
    const [code] = reader ? await reader.detect(await createImageBitmap(file)) : [];
    if (code) {
      await checkIn(code.rawValue, "photo");
      return;
    }
  } catch {
    // The server reads more than the browser does.
  }
  if (!texts.photo) {
    showResult(texts.textNoReader, "bad");
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

if (dialog?.showModal) {
  const video = dialog.querySelector("[data-video]");
  root.querySelector("[data-scan]").addEventListener("click", (click) => {
    click.preventDefault();
    showResult(texts.textScan);
    dialog.showModal();
    readCamera(video);
  });
  dialog.addEventListener("close", () => { video.hidden = true; video.srcObject = null; });
  dialog.querySelector("[data-photo-input]").addEventListener("change", (change) => {
    const [file] = change.target.files;
    if (file) readPhoto(file);
    change.target.value = "";
  });
}
