// The heading of the session page that works without a network: title, hours, and whether the session is open.
import { now } from "./device_clock.js";
import { list, root, texts } from "./roster_page.js";
import { state } from "./roster_state.js";
import { fill, inLanguage } from "./texts.js";
import { clockTime, dayWithWeekday } from "./times.js";

const AGAIN_MS = 60000; // a timer that is set for hours may come late on a phone that slept

/** Fill the heading from the roster. The page that the server rendered has its heading already. */
export function showHeading() {
  if (!texts.shell) return;
  const { session } = state.roster;
  const { zone, language } = texts;
  const opens = Date.parse(session.opens_at);
  const early = now() < opens;
  state.running = !early && list.childElementCount > 0;
  const title = inLanguage(session.title, language);
  root.querySelector("[data-title]").textContent = title;
  document.title = title;
  const hours = `${clockTime(session.starts_at, zone)}–${clockTime(session.ends_at, zone)}`;
  const day = dayWithWeekday(session.starts_at, zone, document.documentElement.lang);
  root.querySelector("[data-when]").textContent = `${day} ${hours} · ${session.place ?? ""}`;
  const closed = root.querySelector("[data-closed]");
  closed.hidden = !early && !session.closed;
  closed.textContent = early ? fill(texts.textOpens, { time: clockTime(session.opens_at, zone) }) : texts.textClosed;
  root.dataset.running = state.running ? "yes" : "no";
  if (early) setTimeout(showHeading, Math.min(opens - now(), AGAIN_MS));
}
