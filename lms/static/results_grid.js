// The grid of results on the page: its rows as they stand, what is not sent yet, and the messages of a row.
import { afterUnsent, earlierText, retestDue } from "./results_view.js";
import { fill } from "./texts.js";

export const grid = document.querySelector("[data-grid]");
export const texts = grid.dataset;

/** The pass mark of theory; null without a theory test. */
export const passMark = () => (texts.passMark ? Number(texts.passMark) : null);

const base = new Map(); // enrolment → attempts, as the server last told them
const sent = new Set(); // enrolments with a mark that the server has taken since this page was opened
const messages = new Map(); // enrolment → what the server or the page refused
let unsent = []; // items of the outbox about this offering's results, in their order

/** The rows, and a row's cells of skills: their ids are those of the head. */
export const rows = () => Array.from(grid.querySelectorAll("tr[data-enrolment]"));
const groups = (row) => Array.from(row.querySelectorAll("[data-skill]"));
export const skillIds = (row) => groups(row).map((group) => Number(group.dataset.skill));
export const enrolmentOf = (row) => Number(row.dataset.enrolment);

const itemsOf = (enrolment) => unsent.filter(({ event }) => event.enrolment === enrolment);

/** The attempts of a row's person: what the server told, and over it what is not sent yet. */
export function attemptsOf(enrolment) {
  return afterUnsent(base.get(enrolment) ?? [], itemsOf(enrolment));
}

/** The server told the attempts of a person. */
export function learn(enrolment, attempts) {
  base.set(enrolment, attempts);
}

/** Whether the server has told anything about a person yet. */
export const isKnown = (enrolment) => base.has(enrolment);

/** What the server told of a person. */
export const toldOf = (enrolment) => base.get(enrolment) ?? [];

export function setUnsent(items) {
  unsent = items;
}

export function noteSent(enrolment) {
  sent.add(enrolment);
  messages.delete(enrolment);
}

/** Show why something of a row was refused; an empty text takes it away. */
export function complain(enrolment, text) {
  if (text) messages.set(enrolment, text);
  else messages.delete(enrolment);
}

function paintState(row, enrolment) {
  const state = row.querySelector("[data-state]");
  const waiting = itemsOf(enrolment).length;
  const message = messages.get(enrolment);
  const text = message ?? (waiting ? texts.textNotSent : sent.has(enrolment) && texts.textSaved) ?? "";
  state.textContent = text || "";
  state.dataset.tone = message ? "bad" : (waiting && "waiting") || "good";
}

function paintMarks(row, latest) {
  const input = row.querySelector("[data-theory]");
  if (input && input !== document.activeElement && input.getAttribute("aria-invalid") !== "true") {
    input.value = latest?.theory ?? "";
  }
  for (const group of groups(row)) {
    const passed = latest?.skills[group.dataset.skill];
    const value = passed === undefined ? "" : (passed && "passed") || "not_yet";
    group.querySelectorAll("input").forEach((radio) => { radio.checked = radio.value === value; });
  }
}

function paintRetest(row, attempts) {
  const latest = attempts[attempts.length - 1];
  const attempt = row.querySelector("[data-attempt]");
  attempt.hidden = !latest || latest.attempt < 2;
  attempt.textContent = fill(texts.textAttempt, { number: latest?.attempt ?? 1 });
  const earlier = row.querySelector("[data-earlier]");
  earlier.hidden = attempts.length < 2;
  earlier.textContent = fill(texts.textEarlier, { results: earlierText(attempts, skillIds(row)) });
  row.querySelector("[data-retest]").hidden = !isDue(row, attempts);
}

function isDue(row, attempts) {
  return retestDue(attempts, passMark(), skillIds(row));
}

/** The rows of people for whom a retest may be started. */
export const dueRows = () => rows().filter((row) => isDue(row, attemptsOf(enrolmentOf(row))));

/** The version by which the form tells the server what it showed, once a script shows another attempt. */
function keepVersion(row, latest) {
  const seen = row.querySelector("[data-seen]");
  if (!seen || !latest || seen.value.split(".")[0] === String(latest.attempt)) return;
  const waiting = /^\d+\.(\d+)/u.exec(seen.value)?.[1] ?? "0";
  const values = Object.entries(latest.skills).map(([skill, passed]) => `skill-${skill}=${passed ? 1 : 0}`);
  if (latest.theory !== null) values.unshift(`theory=${latest.theory}`);
  seen.value = [`${latest.attempt}.${waiting}`, ...values].join(";");
}

function paintRow(row) {
  const enrolment = enrolmentOf(row);
  const items = itemsOf(enrolment);
  row.querySelectorAll("[data-cell]").forEach((cell) => {
    const isUnsent = items.some(({ event }) => (
      cell.dataset.cell === ("score" in event ? "theory" : `skill-${event.skill}`)
    ));
    cell.toggleAttribute("data-unsent", isUnsent);
  });
  if (base.has(enrolment) || items.length) {
    const attempts = attemptsOf(enrolment);
    paintMarks(row, attempts[attempts.length - 1]);
    paintRetest(row, attempts);
    if (base.has(enrolment)) keepVersion(row, base.get(enrolment)[base.get(enrolment).length - 1]);
  }
  paintState(row, enrolment);
}

/** Show every row as it stands. */
export function paint() {
  rows().forEach(paintRow);
  const due = dueRows().length;
  const button = grid.querySelector("[data-retest-all]");
  button.hidden = !due;
  button.querySelector("[data-due]").textContent = due;
}

/** Say something to whoever listens to the page. */
export function say(text) {
  grid.querySelector("[data-status]").textContent = text;
}
