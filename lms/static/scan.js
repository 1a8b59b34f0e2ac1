// Scanning tickets: the camera where the browser can read QR codes, else a photo that the server reads.
import { happen, newId, show } from "./roster.js";

const root = document.querySelector("[data-roster]");
const dialog = root?.querySelector("[data-scan-dialog]");
const LOOK_EVERY = 200; // ms
const SAME_AGAIN = 4000; // ms before the same ticket counts as shown again
const PHOTO_SIDE = 1600; // px: enough for a QR code, small enough for a basement's network

function result(words, tone) {
  const place = dialog.querySelector("[data-scan-result]");
  place.textContent = words;
  place.dataset.tone = tone ?? "";
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
    result(root.dataset.textNoCamera);
    return;
  }
  let stream;
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  } catch {
    result(root.dataset.textNoCamera);
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
        if (now - (seen.get(code.rawValue) ?? -SAME_AGAIN) >= SAME_AGAIN) {
          navigator.vibrate?.(80);
          result(root.dataset.textScanned);
          happen({ ticket: code.rawValue.slice(0, 400), kind: "arrive", method: "scan" });
        }
        seen.set(code.rawValue, now);
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
  result(root.dataset.textReading);
  const body = new FormData();
  body.append("id", newId());
  body.append("photo", await smaller(file), "ticket.jpg");
  try {
    const response = await fetch(root.dataset.photo, {
      method: "POST",
      credentials: "same-origin",
      headers: { Accept: "application/json", "X-CSRFToken": root.dataset.token },
      body,
    });
    const answer = await response.json();
    result(response.ok ? answer.message : answer.detail, response.ok ? "good" : "bad");
    if (response.ok) show(answer);
  } catch {
    result(root.dataset.textPhotoFailed, "bad");
  }
}

if (dialog?.showModal) {
  const video = dialog.querySelector("[data-video]");
  root.querySelector("[data-scan]").addEventListener("click", (click) => {
    click.preventDefault();
    result(root.dataset.textScan);
    dialog.showModal();
    look(video);
  });
  dialog.addEventListener("close", () => { video.hidden = true; video.srcObject = null; });
  dialog.querySelector("[data-photo-input]").addEventListener("change", (change) => {
    const [file] = change.target.files;
    if (file) photo(file);
    change.target.value = "";
  });
  document.addEventListener("scanned", (event) => result(event.detail.words, event.detail.good ? "good" : "bad"));
}
