// Draws the specimen of a certificate's layout anew while its texts are typed. Without this script, a button does it.
const WAIT_MS = 400;
const form = document.getElementById("layout");
const says = document.getElementById("preview-says");
const usual = says.textContent;
let latest = 0;

async function draw(picture, number) {
  const answer = await fetch(form.dataset.preview.replace("PICTURE", picture.dataset.picture), {
    method: "POST", body: new FormData(form),
  });
  if (number !== latest) return false;
  if (!answer.ok) {
    says.textContent = answer.status === 422 ? await answer.text() : usual;
    return false;
  }
  const address = URL.createObjectURL(await answer.blob());
  picture.addEventListener("load", () => URL.revokeObjectURL(address), { once: true });
  picture.src = address;
  picture.hidden = false;
  return true;
}

async function drawAll() {
  latest += 1;
  const number = latest;
  says.textContent = usual;
  for (const picture of document.querySelectorAll("[data-picture]")) {
    try {
      if (!(await draw(picture, number))) return;
    } catch {
      return; // no network: the pictures stay as they were
    }
  }
}

let timer;
form.addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(drawAll, WAIT_MS);
});
