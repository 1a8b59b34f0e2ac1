// Scanning tickets: the camera where the browser can read QR codes, else a photo, read here or by the server. The ticket is
// compared with the roster by its SHA-256, which is all that this device keeps of tickets.
import { newId } from "./device.js";
import { facts, fill, happen, rowOf, stateOf } from "./roster.js";

const root = document.querySelector("[data-roster]");
const text = root.dataset;
const dialog = root.querySelector("[data-scan-dialog]");
const LOOK_EVERY = 200; // ms
const SAME_AGAIN = 4000; // ms before the same ticket counts as shown again
const PHOTO_SIDE = 1600; // px: enough for a QR code, small enough for a basement's network
const TICKET = /(?:\/tickets\/|^)([A-Za-z0-9_-]{22})(?:[/?#]|$)/u; // as courses/attendance/scanning.py

function result(words, tone) {
  const place = dialog.querySelector("[data-scan-result]");
  place.textContent = words;
  place.dataset.tone = tone ?? "";
}

async function hash(ticket) {
  if (!crypto.subtle) return null; // a page that is not served securely
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ticket));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** Check in whoever's ticket this is; a ticket that this device does not know is kept for the server to find. */
async function scanned(words, method) {
  const ticket = TICKET.exec(words.trim())?.[1];
  if (!ticket) {
    result(text.textNotATicket, "bad");
    return;
  }
  navigator.vibrate?.(80);
  const hashed = await hash(ticket);
  const person = hashed && facts().roster?.people.find((one) => one.ticket === hashed);
  if (!person) {
    await happen({ method, ticket: hashed ?? ticket });
    result(text.textScannedUnknown, "warning");
    return;
  }
  const name = rowOf(person.enrolment)?.dataset.name ?? person.name;
  const { present } = stateOf(person.enrolment);
  await happen({ method, enrolment: person.enrolment });
  result(fill(present ? text.textScannedAgain : text.textScanned, { name }), "good");
}

async function detector() {
  if (!("BarcodeDetector" in window)) return null;
  try {
    const formats = await window.BarcodeDetector.getSupportedFormats();
    return formats.includes("qr_code") ? new window.BarcodeDetector({ formats: ["qr_code"] }) : null;
  } catch {
    return null;
  }
}

async function look(video) {
  const reader = await detector();
  if (!reader || !navigator.mediaDevices?.getUserMedia) {
    result(text.photo ? text.textNoCamera : text.textNoReader);
    return;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch {
    result(text.textNoCamera);
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
  const seen = new Map();
  while (dialog.open) {
    try {
      for (const code of await reader.detect(video)) {
        const now = performance.now();
        const again = now - (seen.get(code.rawValue) ?? -SAME_AGAIN) < SAME_AGAIN;
        seen.set(code.rawValue, now);
        if (!again) await scanned(code.rawValue, "scan");
      }
    } catch {
      // A frame that cannot be read yet; the next one comes at once.
    }
    await new Promise((resolve) => { setTimeout(resolve, LOOK_EVERY); });
  }
}

/** The photo made smaller; also leaves its metadata (place, time, device) behind. As it is where that fails. */
async function smaller(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, PHOTO_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return (await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.85); })) ?? file;
  } catch {
    return file;
  }
}

async function photo(file) {
  result(text.textReading);
  const reader = await detector();
  try {
    const [code] = reader ? await reader.detect(await createImageBitmap(file)) : [];
    if (code) {
      await scanned(code.rawValue, "photo");
      return;
    }
  } catch {
    // The server reads more than the browser does.
  }
  if (!text.photo) {
    result(text.textNoReader, "bad");
    return;
  }
  const body = new FormData();
  body.append("id", newId());
  body.append("photo", await smaller(file), "ticket.jpg");
  try {
    const response = await fetch(text.photo, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": document.querySelector("[data-outbox]").dataset.token },
      body,
    });
    const answer = await response.json();
    result(response.ok ? answer.message : answer.detail, response.ok ? "good" : "bad");
    if (response.ok) document.dispatchEvent(new CustomEvent("photographed", { detail: answer }));
  } catch {
    result(text.textPhotoFailed, "bad");
  }
}

if (dialog?.showModal) {
  const video = dialog.querySelector("[data-video]");
  root.querySelector("[data-scan]").addEventListener("click", (click) => {
    click.preventDefault();
    result(text.textScan);
    dialog.showModal();
    look(video);
  });
  dialog.addEventListener("close", () => { video.hidden = true; video.srcObject = null; });
  dialog.querySelector("[data-photo-input]").addEventListener("change", (change) => {
    const [file] = change.target.files;
    if (file) photo(file);
    change.target.value = "";
  });
}
