// While a file is being made: renew that part of the page, without taking focus or place from its reader.
const place = () => document.getElementById("export");

async function renew() {
  try {
    const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
    if (answer.ok) {
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const fresh = page.getElementById("export");
      if (fresh && !fresh.dataset.refresh) return location.reload();
      if (fresh && fresh.innerHTML !== place().innerHTML) place().replaceWith(fresh);
    }
  } catch {
    // No network for a moment: the next turn asks again.
  }
  wait();
}

function wait() {
  const seconds = Number(place()?.dataset.refresh);
  if (seconds) setTimeout(renew, seconds * 1000);
}

wait();
