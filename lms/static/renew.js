// While something is being made: renew the part of the page that says so, without taking focus or place from its
// reader. `data-refresh`: seconds between two looks; missing in the server's answer when all is made. `data-whole`:
// the whole page is loaded anew then.
const { id } = document.querySelector("[data-refresh]") ?? {};

function currentPart() {
  return document.getElementById(id);
}

function replacePart(fresh) {
  const old = currentPart();
  const link = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceWith(fresh);
  if (link) fresh.querySelector(`[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
}

/** Show the part as the server has it now. True when all is made and the page is being loaded anew. */
async function renew() {
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return false;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById(id);
  if (!fresh) return false;
  if (!fresh.dataset.refresh && "whole" in currentPart().dataset) {
    location.reload();
    return true;
  }
  if (fresh.innerHTML !== currentPart().innerHTML) replacePart(fresh);
  return false;
}

async function look() {
  try {
    if (await renew()) return;
  } catch {
    // No network for a moment: the next look asks again.
  }
  lookLater();
}

function lookLater() {
  const seconds = Number(currentPart()?.dataset.refresh);
  if (seconds) setTimeout(look, seconds * 1000);
}

if (id) lookLater();
