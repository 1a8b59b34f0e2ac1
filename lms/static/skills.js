// The skills checklist of one trainee on the session page, with or without a network. Each tap is an event of its
// own, so two examiners who tap at once overwrite nothing of each other.
import { openDialog } from "./dialogs.js";
import * as outbox from "./outbox.js";
import { root, texts } from "./roster_page.js";
import { rowOf } from "./roster_rows.js";
import { state } from "./roster_state.js";
import { inLanguage } from "./texts.js";

const dialog = root.querySelector("[data-skills-dialog]");
const undoDialog = root.querySelector("[data-undo-dialog]"); // the button for the checklist is in it
const tapped = new Map(); // "enrolment/skill" → passed, as tapped on this device

async function readUnsent(enrolment) {
  for (const { path, event } of await outbox.pending()) {
    if (path === outbox.SKILL_RESULTS && event.enrolment === enrolment) {
      tapped.set(`${enrolment}/${event.skill}`, event.passed);
    }
  }
}

function choice(skill, text, tone) {
  const input = document.createElement("input");
  input.type = "radio";
  input.className = "btn-check";
  input.name = `skill-${skill.id}`;
  input.id = `skill-${skill.id}-${tone}`;
  const label = document.createElement("label");
  label.className = `btn btn-skill btn-skill-${tone}`;
  label.htmlFor = input.id;
  label.textContent = text;
  return { input, label };
}

/** The field set of one skill: "passed" and "not yet". */
function skillFields(enrolment, skill, passedBefore) {
  let passed = passedBefore;
  const fields = document.createElement("fieldset");
  fields.className = "skill";
  const legend = document.createElement("legend");
  legend.textContent = inLanguage(skill.name, texts.language);
  const buttons = document.createElement("div");
  buttons.className = "btn-group w-100";
  for (const [value, text, tone] of [[true, texts.textSkillPassed, "passed"], [false, texts.textSkillNot, "not"]]) {
    const { input, label } = choice(skill, text, tone);
    input.checked = passed === value;
    input.addEventListener("change", async () => {
      input.checked = passed === value; // the button turns when the event is on the disk
      await outbox.put({
        path: outbox.SKILL_RESULTS,
        event: { session: state.session, enrolment, skill: skill.id, passed: value },
      });
      passed = value;
      tapped.set(`${enrolment}/${skill.id}`, value);
      fields.querySelectorAll("input").forEach((other) => { other.checked = other === input; });
    });
    buttons.append(input, label);
  }
  fields.append(legend, buttons);
  return fields;
}

async function open(enrolment) {
  await readUnsent(enrolment);
  const { people, skills } = state.roster;
  const results = people.find((person) => person.enrolment === enrolment)?.skills;
  const checklist = skills.map((skill) => (
    skillFields(enrolment, skill, tapped.get(`${enrolment}/${skill.id}`) ?? results?.[skill.id])
  ));
  dialog.querySelector("[data-skills-name]").textContent = rowOf(enrolment).dataset.name;
  dialog.querySelector("[data-skills-list]").replaceChildren(...checklist);
  openDialog(dialog, rowOf(enrolment).querySelector("[data-undo]"));
}

undoDialog?.querySelector("[data-skills]").addEventListener("click", () => {
  undoDialog.close();
  open(Number(undoDialog.querySelector("form").elements.enrolment.value));
});
