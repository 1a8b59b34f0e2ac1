// "Today". With a network the server has rendered the sessions, and this script stores their rosters. Without one it
// fills the page from the rosters that this device keeps.
import { byDay } from "./day_sessions.js";
import { who } from "./device.js";
import { now } from "./device_clock.js";
import { keepPages } from "./keep_pages.js";
import { keptSessions } from "./kept_day.js";
import * as outbox from "./outbox.js";
import { fill } from "./texts.js";
import { showCards } from "./today_cards.js";
import { clockTime, dayWithWeekday } from "./times.js";

const root = document.querySelector("[data-today]");
const texts = root.dataset;
const part = (name) => root.querySelector(`[data-${name}]`);

/** Fill the page that the service worker answered with. */
async function showKept() {
  const { zone, language } = texts;
  const rosters = await keptSessions(await who());
  const unsent = await outbox.pending();
  const { today, later } = byDay(rosters, now(), zone);
  const template = part("card");
  part("day").textContent = dayWithWeekday(now(), zone, document.documentElement.lang);
  showCards(root.querySelector("[data-cards=today]"), template, today, unsent, { zone, language, dated: false });
  showCards(root.querySelector("[data-cards=later]"), template, later, unsent, { zone, language, dated: true });
  part("later").hidden = !later.length;
  part("none").hidden = today.length > 0 || !rosters.length;
  const oldest = Math.min(...[...today, ...later].map((roster) => roster.fetchedAt));
  const text = Number.isFinite(oldest) ? fill(texts.textKept, { time: clockTime(oldest, zone) }) : "";
  part("kept").textContent = rosters.length ? text : texts.textUnknown;
}

async function begin() {
  await outbox.ready;
  if (texts.shell) {
    await showKept();
    outbox.events.addEventListener("change", showKept);
    outbox.events.addEventListener("answer", showKept);
  } else {
    await keepPages(texts.language);
  }
}

begin();
