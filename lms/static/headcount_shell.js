// The headcount of a session, with and without a network: what is entered is kept on this device and shown at once.
// Without this script the page is a form; without a network it is filled from what this device keeps.
import { keptRoster } from "./kept_day.js";
import * as outbox from "./outbox.js";
import { actsOf, headcountOf } from "./session_acts.js";
import { fill, inLanguage } from "./texts.js";

const root = document.querySelector("[data-headcount-page]");
const texts = root.dataset;
const form = root.querySelector("form");
const field = form.elements.number;
const session = Number(texts.session || location.pathname.split("/")[2]);
const MOST = 100000;

function say(text) {
  root.querySelector("[data-entered]").textContent = text;
}

/** Tell what is entered and not sent yet; what the server refused is told by the outbox. */
async function show() {
  const unsent = await outbox.pending();
  const waiting = actsOf(unsent, outbox.HEADCOUNTS, session).length > 0;
  if (!waiting) return;
  const text = fill(texts.textEntered, { number: headcountOf({ id: session }, unsent) });
  say(`${text} · ${texts.textUnsent}`);
}

async function enter(submitted) {
  submitted.preventDefault();
  const number = Number(field.value);
  const valid = /^\d+$/u.test(field.value.trim()) && number <= MOST;
  field.classList.toggle("is-invalid", !valid);
  if (!valid) {
    say(texts.textRange);
    field.focus();
    return;
  }
  await outbox.put({ path: outbox.HEADCOUNTS, event: { session, number } });
}

function takeAnswer({ item, answer }) {
  if (item.path !== outbox.HEADCOUNTS || item.event.session !== session) return;
  say(inLanguage(answer.text, texts.language));
  if (answer.outcome === "already") field.value = answer.number;
}

async function begin() {
  await outbox.ready;
  const roster = await keptRoster(session);
  if (texts.shell) {
    form.hidden = !roster;
    if (roster) {
      root.querySelector("[data-title]").textContent = inLanguage(roster.session.title, texts.language);
      field.value = headcountOf(roster.session, await outbox.pending()) || "";
    } else {
      root.querySelector("[data-kept]").textContent = texts.textUnknown;
    }
  }
  await show();
}

form.addEventListener("submit", enter);
outbox.events.addEventListener("change", show);
outbox.events.addEventListener("answer", ({ detail }) => takeAnswer(detail));
begin();
