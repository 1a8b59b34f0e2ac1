// What an examiner enters in the grid of results: each change is kept on this device at once, shown, and on its way.
import * as outbox from "./outbox.js";
import * as view from "./results_grid.js";
import { listenToKeys } from "./results_keys.js";
import { changeOf } from "./roster_answers.js";
import { hasPassed, readScore } from "./results_view.js";
import { coalesce } from "./coalesce.js";
import { fill, inLanguage } from "./texts.js";

const PATHS = new Set([outbox.SKILL_RESULTS, outbox.THEORY_MARKS, outbox.RETESTS]);
const { grid, texts } = view;
let starting = false; // a retest is being kept: a second tap starts nothing

const session = () => Number(texts.session);

/** Read what is not sent yet, and paint every row anew. */
export const redraw = coalesce(async () => {
  view.setUnsent((await outbox.pending()).filter(({ path }) => PATHS.has(path)));
  view.paint();
});

async function keep(path, events) {
  if (!events.length) return;
  await outbox.putAll({ path, events: events.map((event) => ({ session: session(), ...event })) });
  await redraw();
}

async function takeScore(input) {
  const enrolment = view.enrolmentOf(input.closest("tr"));
  const read = readScore(input.value);
  input.toggleAttribute("aria-invalid", false);
  if (!read) input.setAttribute("aria-invalid", "true");
  view.complain(enrolment, read ? "" : texts.textScore);
  if (read) await keep(outbox.THEORY_MARKS, [{ enrolment, score: read.score }]);
  else view.paint();
}

async function takeSkill(radio) {
  const skill = Number(radio.closest("[data-skill]").dataset.skill);
  const passed = radio.value ? radio.value === "passed" : null;
  await keep(outbox.SKILL_RESULTS, [{ enrolment: view.enrolmentOf(radio.closest("tr")), skill, passed }]);
}

/** The skills that the button sets to passed: those of its person, of its column, or of all who were present. */
function openSkills(button) {
  const [kind, number] = button.value.split("-");
  const own = button.closest("tr[data-enrolment]");
  const chosen = own ? [own] : view.rows().filter((row) => row.dataset.attended === "yes");
  return chosen.flatMap((row) => {
    const enrolment = view.enrolmentOf(row);
    const attempts = view.attemptsOf(enrolment);
    const latest = attempts[attempts.length - 1];
    return view.skillIds(row)
      .filter((skill) => kind !== "skill" || skill === Number(number))
      .filter((skill) => latest?.skills[skill] === undefined && !hasPassed(attempts, skill))
      .map((skill) => ({ enrolment, skill, passed: true }));
  });
}

async function fillSkills(button) {
  const events = openSkills(button);
  await keep(outbox.SKILL_RESULTS, events);
  view.say(fill(texts.textFilled, { number: events.length }));
}

async function startRetests(button) {
  if (starting) return;
  starting = true;
  try {
    const own = button.closest("tr[data-enrolment]");
    const chosen = view.dueRows().filter((row) => !own || row === own);
    const events = chosen.map((row) => {
      const attempts = view.attemptsOf(view.enrolmentOf(row));
      return { enrolment: view.enrolmentOf(row), after: attempts[attempts.length - 1].attempt };
    });
    await keep(outbox.RETESTS, events);
    view.say(fill(texts.textStarted, { number: events.length }));
  } finally {
    starting = false;
  }
}

function takeAnswer({ item, answer }) {
  if (!PATHS.has(item.path)) return;
  const enrolment = answer.enrolment ?? item.event.enrolment;
  const change = changeOf(answer);
  if (change) {
    view.learn(enrolment, change({ attempts: view.toldOf(enrolment) }).attempts);
    view.noteSent(enrolment);
  } else {
    view.complain(enrolment, inLanguage(answer.text, texts.language));
  }
  redraw();
}

/** Show the people of a roster as the server told them. */
export function showRoster(roster) {
  roster.people.forEach(({ enrolment, attempts }) => view.learn(enrolment, attempts ?? []));
  return redraw();
}

/** Keep each change at once. */
export function listen() {
  listenToKeys(grid);
  grid.addEventListener("change", ({ target }) => {
    if (target.matches("[data-theory]")) takeScore(target);
    else if (target.closest("[data-skill]")) takeSkill(target);
  });
  grid.addEventListener("click", (click) => {
    const button = click.target.closest("button[name]");
    if (!button) return;
    click.preventDefault();
    if (button.name === "fill") fillSkills(button);
    else startRetests(button);
  });
  outbox.events.addEventListener("answer", ({ detail }) => takeAnswer(detail));
  outbox.events.addEventListener("change", redraw);
}
