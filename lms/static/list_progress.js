// The progress of a long list: asked for every two seconds, and the page is loaded anew when all rows are verified.
const EVERY_MS = 2000;
const root = document.querySelector("[data-progress]");
const told = root.querySelector("[role=status]");

async function ask() {
  try {
    const response = await fetch(root.dataset.progress, { cache: "no-store" });
    const { done, size, finished } = response.ok ? await response.json() : {};
    if (finished || response.status === 404) { // a list that was deleted: the page says so
      location.reload();
      return;
    }
    if (response.ok) {
      told.textContent = root.dataset.text.replace("{done}", done).replace("{size}", size);
      root.querySelector("progress").value = done;
    }
  } catch {
    told.textContent = root.dataset.away;
  }
  setTimeout(ask, EVERY_MS);
}

setTimeout(ask, EVERY_MS);
