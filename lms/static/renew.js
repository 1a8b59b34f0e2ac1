// While something is being made: renew the part of the page that says so, without taking focus or place from its reader.
// `data-refresh`: seconds between two looks; gone from the server's answer when all is made. `data-whole`: the page then changes too.
const { id } = document.querySelector("[data-refresh]") ?? {};
const place = () => document.getElementById(id);

async function renew() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById(id);
      if (fresh && !fresh.dataset.refresh && "whole" in place().dataset) return location.reload();
      if (fresh && fresh.innerHTML !== place().innerHTML) put(fresh);
    }
  } catch {
    // No network for a moment: the next turn asks again.
  }
  wait();
}

function put(fresh) {
  const old = place();
  const link = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  old.replaceWith(fresh);
  if (link) fresh.querySelector(`[href="${CSS.escape(link)}"]`)?.focus({ preventScroll: true });
}

function wait() {
  const seconds = Number(place()?.dataset.refresh);
  if (seconds) setTimeout(renew, seconds * 1000);
}

if (id) wait();
