// The page "close" without a network: it foresees from what this device keeps, and puts the request to close into
// the outbox. The server judges when the request arrives; the page with a network then shows both.
import { part, root, show, showFields, showForeseen, texts } from "./close_page.js";
import { closedOthers, peopleOf } from "./closing_people.js";
import { coalesce } from "./coalesce.js";
import { who } from "./device.js";
import { now } from "./device_clock.js";
import { foresee } from "./foreseeing.js";
import { keptSessions } from "./kept_day.js";
import * as outbox from "./outbox.js";
import { fill, inLanguage } from "./texts.js";
import { clockTime, dayWithWeekday } from "./times.js";

const session = Number(location.pathname.split("/")[2]);
const form = part("ask");
let foreseen = null;
let asked = null; // the request that is not sent yet
let arrived = false; // the server has answered for a request of this page
let closed = false;
let certificates = false; // the course gives them

/** The moment of an event by the server's clock. */
const momentOf = ({ told_at: told, offset_ms: offset }) => Date.parse(told) + (offset ?? 0);

/** Lead to the codes for the people in the room: this address, which with a network is the page of the closed class. */
function showHandOut() {
  show("hand-out", closed && certificates);
}

function showSession({ session: facts, fetchedAt }) {
  const { zone, language } = texts;
  const day = dayWithWeekday(facts.starts_at, zone, document.documentElement.lang);
  part("title").textContent = `${inLanguage(facts.title, language)} · ${day} ${clockTime(facts.starts_at, zone)}`;
  part("kept").textContent = fill(texts.textKept, { time: clockTime(fetchedAt, zone) });
}

function showRequest(unsent) {
  asked = unsent.find(({ path, event }) => path === outbox.CLOSINGS && event.session === session) ?? null;
  show("asked", asked !== null);
  form.hidden = asked !== null;
  if (asked) {
    part("asked-text").textContent = fill(texts.textAsked, { time: clockTime(momentOf(asked.event), texts.zone) });
  }
}

function isWalkIn({ path, event }) {
  return path === outbox.CHECK_INS && event.session === session && event.walk_in;
}

/** Show the fields that this closing needs, as they were decided before. */
function showForm({ session: { ends_at: ends }, closing }, unsent) {
  const walkIns = unsent.filter(isWalkIn).length;
  show("walk-ins", walkIns > 0);
  part("walk-ins").textContent = fill(texts.textWalkIns, { number: walkIns });
  showFields({
    ends: Date.parse(ends) - now() >= 60000 ? clockTime(ends, texts.zone) : null,
    hours: foreseen.last ? closing.hours : null,
    bySelf: closing.by_self,
  });
  if (closing.hours?.choice && !form.elements.hours_choice.value) {
    form.elements.hours_choice.value = closing.hours.choice;
    form.elements.hours_reason.value = closing.hours.reason ?? "";
  }
}

const redraw = coalesce(async () => {
  const kept = await keptSessions(await who());
  const unsent = await outbox.pending();
  const roster = kept.find((other) => other.session.id === session);
  if (!roster?.closing) {
    part("kept").textContent = texts.textUnknown;
    return;
  }
  showSession(roster);
  const { starts_at: starts } = roster.session;
  closed ||= Boolean(roster.session.closed);
  certificates = roster.closing.certificate;
  showHandOut();
  const early = now() < Date.parse(starts);
  if (closed) show("closed", true);
  show("early", early && !closed);
  part("early").textContent = fill(texts.textStarts, { time: clockTime(starts, texts.zone) });
  show("foreseen", !early && !closed && !arrived);
  if (early || closed) return;
  foreseen = foresee(roster.closing, session, closedOthers(roster, kept, unsent), peopleOf(roster, kept, unsent));
  const named = new Map(roster.people.map((person) => [person.enrolment, [person.name, person.hint].filter(Boolean)]));
  const people = foreseen.people.map((person) => ({ ...person, name: named.get(person.enrolment).join(" ") }));
  showForeseen({ ...foreseen, people });
  showRequest(unsent);
  showForm(roster, unsent);
});

/** The request as the server takes it. A field that is not shown is not sent. */
function request() {
  const { before_end: beforeEnd, heads, heads_reason: headsReason, hours_choice: choice, hours_reason: reason } =
    form.elements;
  const { last, present, certified, people } = foreseen;
  return {
    session,
    before_end: !part("before-end").hidden && beforeEnd.checked,
    heads: part("heads").hidden || heads.value === "" ? null : Number(heads.value),
    heads_reason: headsReason.value.trim() || null,
    hours: part("hours").hidden || !choice.value ? null : { choice: choice.value, reason: reason.value.trim() || null },
    foreseen: {
      last,
      present,
      certified,
      missing: Object.fromEntries(people.map(({ enrolment, missing }) => [enrolment, missing])),
    },
  };
}

/** The server has answered: the request is judged and waits, or there is nothing to close any more. */
function takeAnswer({ item, answer }) {
  if (item.path !== outbox.CLOSINGS || item.event.session !== session || answer.outcome === "rejected") return;
  arrived = true;
  show("foreseen", false);
  closed ||= answer.outcome === "already";
  show(closed ? "closed" : "arrived", true);
  showHandOut();
}

let asking = false;
form.addEventListener("submit", async (submitted) => {
  submitted.preventDefault();
  if (asking || !foreseen || asked || !form.reportValidity()) return;
  asking = true; // a second tap asks for nothing more
  await outbox.put({ path: outbox.CLOSINGS, event: request() });
  await redraw();
  asking = false;
});
part("take-back").addEventListener("click", async () => {
  if (asked) await outbox.takeBack(asked.key);
  await redraw();
});

async function begin() {
  await outbox.ready;
  outbox.events.addEventListener("change", redraw);
  outbox.events.addEventListener("answer", ({ detail }) => takeAnswer(detail));
  await redraw();
  root.dataset.filled = "yes";
}

begin();
