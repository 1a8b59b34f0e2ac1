// The instructor's own check-in on every page that shows it. A tap is kept on this device and shown at once; without
// this script the button is a form.
import { now } from "./device_clock.js";
import * as outbox from "./outbox.js";
import { OWN_CHECK_INS } from "./outbox_paths.js";
import { actsOf, ownAct, ownTimes } from "./session_acts.js";
import { fill } from "./texts.js";
import { clockTime } from "./times.js";

const PAUSE_MS = 1500; // a second tap of the same finger would leave again at once
const LOOK_MS = 30000; // a button may become possible while the page is open
let actedAt = 0;

function forms() {
  return document.querySelectorAll("form[data-own]");
}

function timesOf({ dataset }) {
  return { arrived: dataset.arrived || null, left: dataset.left || null };
}

function sentence({ arrived, left }, act, { dataset }) {
  const time = (moment) => clockTime(moment, dataset.zone);
  if (left) return fill(dataset.textWas, { from: time(arrived), until: time(left) });
  if (arrived) return fill(dataset.textArrived, { time: time(arrived) });
  return act === "early" ? fill(dataset.textEarly, { time: time(dataset.opens) }) : "";
}

function paint(form, unsent) {
  const { dataset } = form;
  const acts = actsOf(unsent, OWN_CHECK_INS, Number(dataset.session));
  const times = ownTimes(timesOf(form), acts, dataset);
  const act = ownAct(times, { ...dataset, open: dataset.open === "yes", again: dataset.again === "yes" }, now());
  const text = sentence(times, act, form);
  form.querySelector("[data-own-text]").textContent = acts.length ? `${text} · ${dataset.textUnsent}` : text;
  const button = form.querySelector("button");
  button.hidden = !act || act === "early";
  if (!button.hidden) button.textContent = dataset[`act${act[0].toUpperCase()}${act.slice(1)}`];
  button.className = `btn ${act === "leave" ? "btn-outline-secondary" : dataset.tone}`;
  dataset.act = act;
  form.hidden = !text && button.hidden;
}

/** Paint every own check-in of the page. */
export async function paintOwn() {
  const unsent = await outbox.pending();
  forms().forEach((form) => paint(form, unsent));
}

/** Fill the form of a session from its roster. */
export function learnOwn(form, { session, own }) {
  if (!own) return;
  const facts = {
    session: session.id, arrived: own.arrived_at ?? "", left: own.left_at ?? "", opens: own.opens_at,
    starts: session.starts_at, ends: session.ends_at, open: session.closed ? "no" : "yes",
  };
  Object.entries(facts).forEach(([name, value]) => { form.dataset[name] = value; });
}

async function keepAct(submitted) {
  const form = submitted.target;
  if (!form.matches?.("form[data-own]")) return;
  submitted.preventDefault();
  const { dataset } = form;
  if (!["arrive", "leave", "attended"].includes(dataset.act) || Date.now() - actedAt < PAUSE_MS) return;
  actedAt = Date.now();
  await outbox.put({ path: OWN_CHECK_INS, event: { session: Number(dataset.session), kind: dataset.act } });
  await paintOwn();
}

function takeAnswer({ item, answer }) {
  if (item.path !== OWN_CHECK_INS || answer.outcome === "rejected") return;
  forms().forEach(({ dataset }) => {
    if (Number(dataset.session) !== item.event.session) return;
    dataset.arrived = answer.arrived_at ?? "";
    dataset.left = answer.left_at ?? "";
  });
}

document.addEventListener("submit", keepAct);
outbox.events.addEventListener("answer", ({ detail }) => {
  takeAnswer(detail);
  paintOwn();
});
outbox.events.addEventListener("change", paintOwn);
setInterval(paintOwn, LOOK_MS);
outbox.ready.then(paintOwn);
