// What the page "close" shows of a closing that is foreseen.
import { fill } from "./texts.js";

export const root = document.querySelector("[data-kept-page]");
export const texts = root.dataset;
export const part = (name) => root.querySelector(`[data-${name}]`);

const shortfalls = JSON.parse(texts.shortfalls);

/** Show or hide each part of a name. */
export function show(name, visible) {
  root.querySelectorAll(`[data-${name}]`).forEach((place) => { place.hidden = !visible; });
}

/** How somebody was at this session: absent, late, left early; empty for none of it. */
function presenceTexts({ here }) {
  if (!here) return [texts.textAbsent];
  return [
    here.late ? fill(texts.textLate, { number: here.late }) : "",
    here.early ? fill(texts.textEarly, { number: here.early }) : "",
  ].filter(Boolean);
}

/** Of somebody who was never there the absence says all. */
function missingTexts({ missing }) {
  return (missing[0] === "absent" ? ["absent"] : missing).map((code) => shortfalls[code]);
}

function personItem(person, planned, why) {
  const item = part("person").content.firstElementChild.cloneNode(true);
  item.dataset.enrolment = person.enrolment;
  item.querySelector("[data-name]").textContent = person.name;
  item.querySelector("[data-minutes]").textContent = fill(texts.textMinutes, { attended: person.minutes, planned });
  item.querySelector("[data-why]").textContent = why.join(" · ");
  return item;
}

/** Show what is foreseen. `foreseen`: as foreseeing.js gives it, with the `name` of each person. */
export function showForeseen({ last, present, certified, planned, people }) {
  const figures = { present, absent: people.length - present, certified };
  Object.entries(figures).forEach(([name, number]) => {
    root.querySelector(`[data-figure=${name}]`).textContent = number;
  });
  const missed = people.filter((person) => presenceTexts(person).length);
  const missedItems = missed.map((person) => (
    personItem(person, planned, [...presenceTexts(person), ...(last ? [] : missingTexts(person))])
  ));
  const short = last ? people.filter(({ missing }) => missing.length) : [];
  part("missed").replaceChildren(...missedItems);
  part("short").replaceChildren(...short.map((person) => personItem(person, planned, missingTexts(person))));
  show("nobody-missed", !missed.length);
  show("all-certified", last && !short.length && people.length > 0);
  show("last", last);
  show("not-last", !last);
  part("missed").hidden = !missed.length;
  part("short").hidden = !short.length;
}

/** Show the fields that the request needs. `hours`: the facts of the roster, or null; `ends`: null once over. */
export function showFields({ ends, hours, bySelf }) {
  show("before-end", ends !== null);
  if (ends !== null) part("ends").textContent = fill(texts.textEnds, { time: ends });
  show("hours", Boolean(hours));
  if (hours) {
    part("hours-given").textContent = fill(texts.textGiven, { hours: hours.given });
    part("hours-course").textContent = fill(texts.textCourse, { hours: hours.course });
  }
  show("heads", bySelf > 0);
}
