// The grid of results without a network, filled from the roster that this device keeps (masked names).
import { keptOffering } from "./kept_day.js";
import { ready } from "./outbox.js";
import { grid, texts } from "./results_grid.js";
import { listen, showRoster } from "./results_marks.js";
import { fill, inLanguage } from "./texts.js";
import { clockTime } from "./times.js";

const page = document.querySelector("[data-kept-page]");
const part = (name) => grid.querySelector(`[data-${name}]`);

/** A copy of a template's first element. */
const copyOf = (name) => part(name).content.firstElementChild.cloneNode(true);

function nameButtons(element, enrolment, name) {
  element.querySelectorAll("[data-retest], [data-fill-person]").forEach((button) => {
    button.value = button.name === "fill" ? `person-${enrolment}` : String(enrolment);
    button.setAttribute("aria-label", `${name} · ${button.textContent.trim()}`);
  });
}

function skillCell(enrolment, name, skill) {
  const cell = copyOf("skill-template");
  const label = inLanguage(skill.name, texts.language);
  cell.dataset.cell = `skill-${skill.id}`;
  cell.querySelector("[data-skill-label]").textContent = label;
  const group = cell.querySelector("[data-skill]");
  group.dataset.skill = skill.id;
  group.setAttribute("aria-label", `${name} · ${label}`);
  group.querySelectorAll("input").forEach((radio) => { radio.name = `skill-${enrolment}-${skill.id}`; });
  return cell;
}

function personRow({ enrolment, name: masked, hint, present, attempts }, { theory }, skills) {
  const row = copyOf("row-template");
  const name = hint ? `${masked} ${hint}` : masked;
  const attended = present || (attempts ?? []).length > 0;
  Object.assign(row.dataset, { enrolment, name, attended: attended ? "yes" : "no" });
  row.querySelector("[data-person]").textContent = name;
  row.querySelector("[data-absent]").hidden = true; // the roster of one session does not know of the others
  nameButtons(row, enrolment, name);
  const cell = row.querySelector("[data-cell=theory]");
  const input = cell.querySelector("input");
  input.name = `theory-${enrolment}`;
  input.setAttribute("aria-label", `${name} · ${texts.textTheory}`);
  if (!theory) cell.remove();
  row.querySelector(".grid-retest").before(...skills.map((skill) => skillCell(enrolment, name, skill)));
  return row;
}

function headCell(skill) {
  const cell = copyOf("head-template");
  const label = inLanguage(skill.name, texts.language);
  cell.prepend(label);
  const button = cell.querySelector("button");
  button.value = `skill-${skill.id}`;
  button.setAttribute("aria-label", `${label} · ${button.textContent.trim()}`);
  return cell;
}

/** The roster of the session that runs or ran last, else of the first one. */
function rosterNow(rosters) {
  const begun = rosters.filter(({ session }) => Date.parse(session.starts_at) <= Date.now());
  return begun[begun.length - 1] ?? rosters[0];
}

function build({ session, offering, people, skills }) {
  Object.assign(texts, { session: session.id, passMark: offering.pass_mark ?? "" });
  part("head-theory").hidden = !offering.theory;
  part("head-retest").before(...skills.map(headCell));
  grid.querySelector("tbody").replaceChildren(...people.map((person) => personRow(person, offering, skills)));
}

/** Fill the page that opened without a network. */
export async function beginFromKept() {
  await ready;
  const roster = rosterNow(await keptOffering(Number(location.pathname.split("/")[2])));
  const note = page.querySelector("[data-kept]");
  if (!roster) {
    note.textContent = page.dataset.textUnknown;
    return;
  }
  page.querySelector("[data-title]").textContent = inLanguage(roster.session.title, texts.language);
  note.textContent = fill(texts.textKept, { time: clockTime(roster.fetchedAt, texts.zone) });
  build(roster);
  grid.hidden = Boolean(roster.session.closed);
  page.querySelector("[data-closed]").hidden = !roster.session.closed;
  listen();
  await showRoster(roster);
}
