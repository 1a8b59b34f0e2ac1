// A photo of a ticket on its way to the server, which reads more QR codes than the browser does.
import { page } from "./device.js";
import { newId } from "./ids.js";

const LONGEST_SIDE = 1600; // px: enough for a QR code, small enough for a basement's network

/** The photo made smaller, which also leaves its metadata (place, time, device) behind; as it is where that fails. */
async function smaller(file) {
  try {
    const bitmap = await createImageBitmap(file);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(bitmap.width, bitmap.height));
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(bitmap.width * scale);
    canvas.height = Math.round(bitmap.height * scale);
    canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    return (await new Promise((resolve) => { canvas.toBlob(resolve, "image/jpeg", 0.85); })) ?? file;
  } catch {
    return file;
  }
}

/** Send a photo to the server. Resolves with {ok, answer}: `answer.message`, or `answer.detail` of a refusal. */
export async function sendPhoto(address, file) {
  const body = new FormData();
  body.append("id", newId());
  body.append("photo", await smaller(file), "ticket.jpg");
  const response = await fetch(address, {
    method: "POST",
    credentials: "same-origin",
    headers: { Accept: "application/json", "X-CSRFToken": page.token },
    body,
  });
  return { ok: response.ok, answer: await response.json() };
}
