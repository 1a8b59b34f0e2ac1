// "Today". With a network the server has rendered the sessions, and this script stores their rosters. Without one it
// fills the page from the rosters that this device keeps.
import { coalesce } from "./coalesce.js";
import { fetchDay } from "./day_fetch.js";
import { byDay } from "./day_sessions.js";
import { who } from "./device.js";
import { now } from "./device_clock.js";
import { keepPages } from "./keep_pages.js";
import { keptSessions } from "./kept_day.js";
import * as outbox from "./outbox.js";
import { paintOwn } from "./own_check_in.js";
import { fill } from "./texts.js";
import { clockTime, dayWithWeekday } from "./times.js";
import { showCards } from "./today_cards.js";

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
  await paintOwn();
  part("later").hidden = !later.length;
  part("none").hidden = today.length > 0 || !rosters.length;
  const oldest = Math.min(...[...today, ...later].map((roster) => roster.fetchedAt));
  const text = Number.isFinite(oldest) ? fill(texts.textKept, { time: clockTime(oldest, zone) }) : "";
  part("kept").textContent = rosters.length ? text : texts.textUnknown;
}

const redraw = coalesce(showKept);

// The page that the server rendered: the rosters are stored, and the page says so.
async function keepDay() {
  const [kept, fetched] = await Promise.all([keepPages(texts.language), fetchDay()]);
  if (kept && fetched) part("kept").textContent = texts.textReady;
}

// Take what the server has now; the page says no longer that there is no network.
async function refresh() {
  if (document.hidden || !(await fetchDay())) return;
  part("offline").hidden = true;
  await redraw();
}

// The page that the service worker answered with.
async function fillPage() {
  await redraw();
  ["change", "answer"].forEach((kind) => outbox.events.addEventListener(kind, redraw));
  addEventListener("online", refresh);
  document.addEventListener("visibilitychange", refresh);
  await refresh();
}

async function begin() {
  await outbox.ready;
  await (texts.shell ? fillPage() : keepDay());
}

begin();
