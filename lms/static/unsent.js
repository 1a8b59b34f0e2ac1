// The number unsent, on every page of a user who takes attendance; what can be done about it; the warning before
// signing out.
import { keepForms } from "./network_forms.js";
import * as outbox from "./outbox.js";
import { fill } from "./texts.js";
import { unsentFile } from "./unsent_file.js";

const KEEP_FILE_MS = 60000; // as long as a browser may take to read the file
const root = document.querySelector("[data-outbox]");
const texts = root.dataset;
const part = (name) => root.querySelector(`[data-outbox-${name}]`);
const dialog = part("dialog");
let signOutForm = null;

// What a refused event was about where it names nobody.
const ABOUT = {
  [outbox.OWN_CHECK_INS]: "textOwn",
  [outbox.HEADCOUNTS]: "textHeadcount",
  [outbox.CLOSINGS]: "textClosing",
};

function show({ unsent, refused, state, fragile }) {
  const disconnected = state === "sign_in";
  const marks = [];
  if (unsent || !refused) marks.push(fill(texts.textUnsent, { number: unsent }));
  if (refused) marks.push(fill(texts.textRefused, { number: refused }));
  const mark = part("mark");
  mark.hidden = !unsent && !refused && !disconnected;
  mark.textContent = marks.join(" · ");
  mark.dataset.number = unsent;
  part("count").textContent = marks.join(" · ");
  part("state").textContent = texts[`text${state[0].toUpperCase()}${state.slice(1)}`] ?? "";
  part("fragile").hidden = !fragile;
  part("connect").hidden = !(disconnected && texts.token);
  part("sign-in").hidden = !(disconnected && !texts.token);
  part("send").hidden = !unsent;
  part("save").hidden = !unsent;
}

/** One refusal, with a button for "I have read it". */
function refusalItem({ key, path, event, answer }) {
  const item = document.createElement("li");
  const sentence = document.createElement("span");
  const row = document.querySelector(`[data-enrolment="${event.enrolment}"]`);
  const name = event.walk_in?.name ?? row?.dataset.name ?? texts[ABOUT[path]] ?? texts.textPerson;
  sentence.textContent = `${name}: ${answer.text?.[texts.language] ?? answer.code ?? ""}`;
  const button = document.createElement("button");
  button.type = "button";
  button.className = "btn btn-outline-secondary";
  button.textContent = texts.textRead;
  button.addEventListener("click", async () => {
    await outbox.dismiss(key);
    await showRefused();
  });
  item.append(sentence, button);
  return item;
}

async function showRefused() {
  part("refused").replaceChildren(...(await outbox.refused()).map(refusalItem));
}

async function save() {
  const { name, content } = unsentFile(await outbox.pending(), new Date());
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([JSON.stringify(content, null, 1)], { type: "application/json" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), KEEP_FILE_MS);
}

function signOut() {
  outbox.signOut().finally(() => signOutForm.submit());
}

outbox.events.addEventListener("change", ({ detail }) => {
  show(detail);
  showRefused();
});
// A request to close has arrived: whoever has this page open is led to the judgement.
outbox.events.addEventListener("answer", ({ detail: { item, answer } }) => {
  const address = `/sessions/${answer.session}/close`;
  if (item.path !== outbox.CLOSINGS || !answer.judged || location.pathname === address) return;
  part("closing").href = address;
  part("closing").hidden = false;
});
part("mark").addEventListener("click", () => { dialog.showModal(); });
part("close").addEventListener("click", () => dialog.close());
dialog.addEventListener("close", () => {
  if (part("mark").hidden) document.querySelector("main").focus({ preventScroll: true });
});
part("send").addEventListener("click", () => outbox.flush());
part("save").addEventListener("click", save);
part("connect").addEventListener("click", async () => {
  await outbox.forgetRefusedTokens();
  if (!(await outbox.pair())) location.assign(part("sign-in").href);
});
part("stay").addEventListener("click", () => part("leave").close());
part("go").addEventListener("click", signOut);
document.addEventListener("submit", async (submitted) => {
  const form = submitted.target;
  if (form.matches('[action$="/sign-out"]')) {
    submitted.preventDefault();
    signOutForm = form;
    const { unsent } = await outbox.status();
    if (!unsent) {
      signOut();
      return;
    }
    part("leave-count").textContent = fill(texts.textUnsent, { number: unsent });
    part("leave").showModal();
  } else if (!texts.user && form.querySelector("[type=password]")) {
    outbox.forgetRefusedTokens();
  }
});
keepForms(part("network"));
outbox.status().then(show);
