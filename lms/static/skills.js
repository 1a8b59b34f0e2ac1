// One trainee's skills checklist on the session page, with or without a network: each tap is an event of its own, so two
// examiners at once take nothing from each other.
import * as outbox from "./outbox.js";
import { facts, named, rowOf } from "./roster.js";

const dialog = document.querySelector("[data-skills-dialog]");
const change = document.querySelector("[data-undo-dialog]");
const told = new Map(); // "enrolment/skill" → passed, as tapped here

async function unsent(enrolment) {
  for (const { path, event } of await outbox.pending()) {
    if (path === outbox.SKILL_RESULTS && event.enrolment === enrolment) told.set(`${enrolment}/${event.skill}`, event.passed);
  }
}

function line(enrolment, skill, passed) {
  const { session, text } = facts();
  const group = document.createElement("fieldset");
  group.className = "skill";
  const legend = document.createElement("legend");
  legend.textContent = named(skill.name);
  const row = document.createElement("div");
  row.className = "btn-group w-100";
  for (const [value, words, tone] of [[true, text.textSkillPassed, "passed"], [false, text.textSkillNot, "not"]]) {
    const input = document.createElement("input");
    const label = document.createElement("label");
    input.type = "radio";
    input.className = "btn-check";
    input.name = `skill-${skill.id}`;
    input.id = `skill-${skill.id}-${tone}`;
    input.checked = passed === value;
    label.className = `btn btn-skill btn-skill-${tone}`;
    label.htmlFor = input.id;
    label.textContent = words;
    input.addEventListener("change", async () => {
      input.checked = passed === value; // it turns when the event is on the disk
      await outbox.put({
        path: outbox.SKILL_RESULTS,
        event: { session, enrolment, skill: skill.id, passed: value },
      });
      passed = value;
      told.set(`${enrolment}/${skill.id}`, value);
      group.querySelectorAll("input").forEach((one) => { one.checked = one === input; });
    });
    row.append(input, label);
  }
  group.append(legend, row);
  return group;
}

async function open(enrolment) {
  const { roster } = facts();
  await unsent(enrolment);
  const person = roster.people.find((one) => one.enrolment === enrolment);
  const lines = roster.skills.map((skill) => {
    const known = told.get(`${enrolment}/${skill.id}`) ?? person?.skills?.[skill.id];
    return line(enrolment, skill, known);
  });
  dialog.querySelector("[data-skills-name]").textContent = rowOf(enrolment).dataset.name;
  dialog.querySelector("[data-skills-list]").replaceChildren(...lines);
  dialog.showModal();
}

change?.querySelector("[data-skills]").addEventListener("click", () => {
  change.close();
  open(Number(change.querySelector("form").elements.enrolment.value));
});
