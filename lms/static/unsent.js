// The number unsent, on every page of who takes attendance; what can be done about it; and the word before signing out.
import * as outbox from "./outbox.js";

const root = document.querySelector("[data-outbox]");
const text = root.dataset;
const part = (name) => root.querySelector(`[data-outbox-${name}]`);
const dialog = part("dialog");
let leaving = null;

function show({ unsent, refused, state, fragile }) {
  const disconnected = state === "sign_in";
  const marks = [];
  if (unsent || !refused) marks.push(text.textUnsent.replace("{number}", unsent));
  if (refused) marks.push(text.textRefused.replace("{number}", refused));
  const mark = part("mark");
  mark.hidden = !unsent && !refused && !disconnected;
  mark.textContent = marks.join(" · ");
  mark.dataset.number = unsent;
  part("count").textContent = marks.join(" · ");
  part("state").textContent = text[`text${state[0].toUpperCase()}${state.slice(1)}`] ?? "";
  part("fragile").hidden = !fragile;
  part("connect").hidden = !(disconnected && text.token);
  part("sign-in").hidden = !(disconnected && !text.token);
  part("send").hidden = part("save").hidden = !unsent;
}

async function showRefused() {
  const rows = (await outbox.refused()).map(({ key, event, answer }) => {
    const row = document.createElement("li");
    const words = document.createElement("span");
    const who = event.walk_in?.name ?? document.querySelector(`[data-enrolment="${event.enrolment}"]`)?.dataset.name;
    words.textContent = `${who ?? text.textPerson}: ${answer.text?.[text.language] ?? answer.code ?? ""}`;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-outline-secondary";
    button.textContent = text.textRead;
    button.addEventListener("click", async () => {
      await outbox.dismiss(key);
      await showRefused();
    });
    row.append(words, button);
    return row;
  });
  part("refused").replaceChildren(...rows);
}

/** The unsent events as the server's upload page takes them. */
async function save() {
  const items = await outbox.pending();
  const of = (path) => items.filter((item) => item.path === path).map((item) => item.event);
  // Not `sent_at`: how long the file lies about says nothing of this device's clock.
  const content = {
    saved_at: new Date().toISOString(),
    events: of(outbox.CHECK_INS),
    skill_results: of(outbox.SKILL_RESULTS),
  };
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = `check-ins-${content.saved_at.slice(0, 16).replace(/\D/gu, "")}.json`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}

function goOut() {
  outbox.signOut().finally(() => leaving.submit());
}

outbox.events.addEventListener("change", ({ detail }) => {
  show(detail);
  showRefused();
});
part("mark").addEventListener("click", () => { dialog.showModal(); });
part("close").addEventListener("click", () => dialog.close());
part("send").addEventListener("click", () => outbox.flush());
part("save").addEventListener("click", save);
part("connect").addEventListener("click", async () => {
  await outbox.forgetRefusedTokens();
  if (!(await outbox.pair())) location.assign(part("sign-in").href);
});
part("stay").addEventListener("click", () => part("leave").close());
part("go").addEventListener("click", goOut);
document.addEventListener("submit", async (submitted) => {
  const form = submitted.target;
  if (form.matches('[action$="/sign-out"]')) {
    submitted.preventDefault();
    leaving = form;
    const { unsent } = await outbox.status();
    if (!unsent) {
      goOut();
      return;
    }
    part("leave-count").textContent = text.textUnsent.replace("{number}", unsent);
    part("leave").showModal();
  } else if (!text.user && form.querySelector("[type=password]")) {
    outbox.forgetRefusedTokens();
  }
});
outbox.status().then(show);
