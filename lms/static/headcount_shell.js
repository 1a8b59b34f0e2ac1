// The page "headcount" without a network, filled from what this device keeps.
import { ready } from "./outbox.js";
import { keptRoster } from "./kept_day.js";
import { inLanguage } from "./texts.js";

const root = document.querySelector("[data-kept-page]");

async function begin() {
  await ready;
  const roster = await keptRoster(location.pathname.split("/")[2]);
  if (roster) root.querySelector("[data-title]").textContent = inLanguage(roster.session.title, root.dataset.language);
  else root.querySelector("[data-kept]").textContent = root.dataset.textUnknown;
}

begin();
