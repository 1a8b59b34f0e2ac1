// The rows of the session page: one for each person, painted from what is known of who is present.
import { norm } from "./names.js";
import { list, root, texts } from "./roster_page.js";
import { presence, state } from "./roster_state.js";
import { clockTime } from "./times.js";

const template = root.querySelector("template[data-person]"); // missing where nobody can be checked in

/** The row of an enrolment, or null. */
export function rowOf(enrolment) {
  return list.querySelector(`[data-enrolment="${CSS.escape(String(enrolment))}"]`);
}

/** All rows, in the order of the page. */
export function rows() {
  return [...list.querySelectorAll(".person")];
}

/** Learn from the rows that the server rendered how their people stand. */
export function readRows() {
  for (const { dataset } of rows()) {
    const { present, arrived, left } = dataset;
    presence.learn(Number(dataset.enrolment), {
      present: present === "yes",
      arrived: arrived || null,
      left: left || null,
    });
  }
}

/** Take the people of the roster over; whoever has no row yet gets one. */
export function showPeople() {
  for (const person of state.roster.people) {
    const row = rowOf(person.enrolment) ?? addPerson(person);
    if (row) row.dataset.find = (person.find ?? []).join(" ");
  }
  presence.learnRoster(state.roster.people);
}

function addRow(name, hint = "") {
  const row = template.content.firstElementChild.cloneNode(true);
  row.dataset.name = hint ? `${name} ${hint}` : name;
  row.dataset.key = norm(name);
  row.querySelectorAll("[data-person-name]").forEach((place) => { place.textContent = name; });
  row.querySelectorAll("[data-person-note]").forEach((place) => { place.textContent = hint; });
  list.append(row);
  return row;
}

function addPerson({ enrolment, name, hint }) {
  if (!template) return null;
  const row = addRow(name, hint);
  row.hidden = true; // until the filter shows it
  row.id = `person-${enrolment}`;
  row.dataset.enrolment = enrolment;
  row.querySelector(".person-tap").value = enrolment;
  return row;
}

function rowOfWalkIn(key) {
  return list.querySelector(`[data-event="${CSS.escape(key)}"]`);
}

/** Show somebody who walked in and whom the server does not know yet. */
export function showWalkIn({ key, event }) {
  if (!template || rowOfWalkIn(key)) return;
  const row = addRow(event.walk_in.name);
  row.dataset.event = key;
  row.dataset.arrived = event.told_at;
  row.querySelector(".person-there [data-person-note]").textContent = texts.textWalkIn;
  row.querySelector("[data-undo]").remove();
}

/** Take the row of a walk-in away, once the server has a place for the person. */
export function removeWalkIn(key) {
  rowOfWalkIn(key)?.remove();
}

function paint(row) {
  const enrolment = Number(row.dataset.enrolment);
  const { present, arrived, left } = enrolment
    ? presence.stateOf(enrolment)
    : { present: true, arrived: row.dataset.arrived };
  row.dataset.present = present ? "yes" : "no";
  row.querySelector("[data-time]").textContent = [arrived, left]
    .filter(Boolean)
    .map((moment) => clockTime(moment, texts.zone))
    .join("–");
  row.querySelector("[data-wait]").hidden = !(enrolment
    ? presence.hasUnsent(enrolment)
    : presence.isUnsent(row.dataset.event));
}

function count() {
  const all = rows();
  const present = all.filter((row) => row.dataset.present === "yes").length;
  const figures = { all: all.length, present, missing: all.length - present };
  root.querySelectorAll("[data-count]").forEach((place) => { place.textContent = figures[place.dataset.count]; });
}

/** Paint every row and count anew. */
export function paintRows() {
  rows().forEach(paint);
  count();
}
