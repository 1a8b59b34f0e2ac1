// The roster: a tap shows at once and is on its way. What is not sent yet is kept on this phone, in the order it
// happened, each with an id made here, so that sending it twice changes nothing. Without this script every button is a form.
const root = document.querySelector("[data-roster]");
const text = root ? root.dataset : {};
const SEND_SECONDS = 20;
const WAITS = [1, 2, 4, 8, 15, 30]; // seconds before the next try
const KEEP = new Set([400, 401, 408, 425, 429]); // not a refusal of the check-in itself

const list = root?.querySelector("[data-people]");
const unsent = root?.querySelector("[data-unsent]");
const message = root?.querySelector("[data-message]");
const search = root?.querySelector("[data-search]");
let shown = "all";
let sending = false;
let tries = 0;
let timer = 0;
let waited = false;
let memory = [];

/** A random id; also where the page is not served securely and crypto.randomUUID is missing. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

// The outbox. Read anew each time: another tab may have changed it. No storage (private browsing): kept in memory.
function outbox() {
  try {
    return JSON.parse(localStorage.getItem(text.outbox) ?? "[]");
  } catch {
    return memory;
  }
}

function keep(events) {
  memory = events;
  try {
    if (events.length) localStorage.setItem(text.outbox, JSON.stringify(events));
    else localStorage.removeItem(text.outbox);
  } catch {
    // The list in memory still holds them while the page lives.
  }
  showUnsent(events);
}

function showUnsent(events) {
  unsent.hidden = events.length === 0;
  unsent.textContent = events.length ? text.textUnsent.replace("{number}", events.length) : "";
  const waiting = new Set(events.map((event) => String(event.enrolment ?? "")));
  list.querySelectorAll(".person").forEach((row) => {
    row.querySelector("[data-wait]").hidden = !waiting.has(row.dataset.enrolment);
  });
}

export function say(words, tone = "danger") {
  message.hidden = !words;
  message.textContent = words;
  message.dataset.tone = tone;
}

function rowOf(enrolment) {
  return list.querySelector(`[data-enrolment="${CSS.escape(String(enrolment))}"]`);
}

function clock(date = new Date()) {
  return `${String(date.getHours()).padStart(2, "0")}:${String(date.getMinutes()).padStart(2, "0")}`;
}

function mark(row, present, time) {
  if (!row) return;
  row.dataset.present = present ? "yes" : "no";
  if (time !== undefined) row.querySelector("[data-time]").textContent = time;
  count();
}

function count() {
  const rows = [...list.querySelectorAll(".person")];
  const present = rows.filter((row) => row.dataset.present === "yes").length;
  const figures = { all: rows.length, present, missing: rows.length - present };
  root.querySelectorAll("[data-count]").forEach((place) => { place.textContent = figures[place.dataset.count]; });
}

function filter() {
  const words = (search.value ?? "").normalize("NFKC").replace(/[\s·•・]/gu, "").toUpperCase();
  let any = false;
  list.querySelectorAll(".person").forEach((row) => {
    const named = !words || row.dataset.key.includes(words) || (/^\d+$/u.test(words) && row.dataset.tail.endsWith(words));
    const wanted = shown === "all" || (row.dataset.present === "yes") === (shown === "present");
    row.hidden = !(named && wanted);
    any ||= !row.hidden;
  });
  root.querySelector("[data-nobody]").hidden = any;
  root.querySelectorAll("[data-show]").forEach((link) => {
    if (link.dataset.show === shown) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  });
}

/** Put an event into the outbox and send it. `before` is what to show again when it is refused. */
export function happen(event, before) {
  keep([...outbox(), { id: newId(), happened_at: new Date().toISOString(), ...event, before }]);
  send();
}

async function post(event) {
  const { before, ...body } = event;
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), SEND_SECONDS * 1000);
  try {
    return await fetch(text.record, {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": text.token },
      body: JSON.stringify(body),
      signal: stop.signal,
    });
  } finally {
    clearTimeout(late);
  }
}

function later() {
  clearTimeout(timer);
  const seconds = WAITS[Math.min(tries, WAITS.length - 1)];
  tries += 1;
  timer = setTimeout(send, seconds * 1000 * (0.8 + Math.random() * 0.4));
  if (tries > 1) {
    waited = true;
    say(text.textOffline, "warning");
  }
}

async function send() {
  if (sending) return;
  sending = true;
  clearTimeout(timer);
  try {
    for (let events = outbox(); events.length; events = outbox()) {
      const [event] = events;
      let response;
      let answer;
      try {
        response = await post(event);
        answer = await response.json();
      } catch {
        later();
        return;
      }
      if (response.status >= 500 || KEEP.has(response.status)) {
        if (response.status === 401) say(text.textSignIn, "warning");
        else if (response.status === 400) say(text.textReload, "warning");
        if (response.status >= 402) later();
        return;
      }
      if (waited) say("");
      waited = false;
      tries = 0;
      keep(outbox().filter((one) => one.id !== event.id));
      if (response.ok) accepted(event, answer);
      else refused(event, answer);
    }
  } finally {
    sending = false;
  }
}

/** Show what the server answered for one person. */
export function show(answer) {
  const time = answer.left ? `${answer.arrived}–${answer.left}` : answer.arrived;
  mark(rowOf(answer.enrolment), answer.present, answer.present ? time : undefined);
}

function accepted(event, answer) {
  // A later tap on the same person that is still waiting must stay visible.
  if (!outbox().some((one) => one.enrolment === answer.enrolment)) show(answer);
  if (event.ticket) document.dispatchEvent(new CustomEvent("scanned", { detail: { good: true, words: answer.message } }));
  else if (answer.outcome === "already") say(answer.message, "info");
}

function refused(event, answer) {
  const words = answer?.detail ?? answer?.message ?? "";
  if (event.before) mark(rowOf(event.enrolment), event.before.present, event.before.time);
  if (event.ticket) document.dispatchEvent(new CustomEvent("scanned", { detail: { good: false, words } }));
  else {
    const row = rowOf(event.enrolment);
    say(row ? `${row.dataset.name}: ${words}` : words);
  }
}

function stateOf(row) {
  return { present: row.dataset.present === "yes", time: row.querySelector("[data-time]").textContent };
}

function listen() {
  root.querySelector("[data-taps]")?.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const row = submitted.submitter?.closest(".person");
    if (!row || row.dataset.present === "yes") return;
    const before = stateOf(row);
    say("");
    mark(row, true, clock());
    happen({ enrolment: Number(row.dataset.enrolment), kind: "arrive", method: "tap" }, before);
    // Who searches by name taps one and goes on to the next.
    if (search.value) {
      search.value = "";
      filter();
      row.scrollIntoView({ block: "center" });
    }
  });

  const dialog = root.querySelector("[data-undo-dialog]");
  if (dialog?.showModal) {
    const form = dialog.querySelector("form");
    list.addEventListener("click", (click) => {
      const link = click.target.closest("[data-undo]");
      if (!link) return;
      click.preventDefault();
      const row = link.closest(".person");
      form.reset();
      form.elements.enrolment.value = row.dataset.enrolment;
      dialog.querySelector("[data-undo-name]").textContent = row.dataset.name;
      dialog.showModal();
    });
    dialog.querySelector("[data-reason]").addEventListener("input", () => {
      dialog.querySelector("[data-other]").checked = true;
    });
    form.addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      const row = rowOf(form.elements.enrolment.value);
      const kind = submitted.submitter?.value === "leave" ? "leave" : "undo";
      const reason = form.elements.reason.value.trim() || form.elements.choice.value;
      if (kind === "undo" && !reason) {
        form.elements.reason.focus();
        return;
      }
      const before = stateOf(row);
      if (kind === "undo") mark(row, false);
      else mark(row, true, `${before.time.split("–")[0]}–${clock()}`);
      happen({ enrolment: Number(row.dataset.enrolment), kind, method: "tap", ...(kind === "undo" && { reason }) }, before);
      dialog.close();
    });
  }
  root.querySelectorAll("[data-dismiss]").forEach((button) => {
    button.addEventListener("click", () => button.closest("dialog").close());
  });
  search.addEventListener("input", filter);
  search.form.addEventListener("submit", (submitted) => submitted.preventDefault());
  root.querySelectorAll("[data-show]").forEach((link) => {
    link.addEventListener("click", (click) => {
      click.preventDefault();
      shown = link.dataset.show;
      filter();
    });
  });
  addEventListener("online", () => { tries = 0; send(); });
  addEventListener("pageshow", (shownAgain) => { if (shownAgain.persisted) send(); });
  document.addEventListener("visibilitychange", () => { if (!document.hidden) send(); });
}

if (root) {
  root.querySelectorAll("[data-script-hides]").forEach((part) => { part.hidden = true; });
  shown = root.querySelector('[data-show][aria-current="true"]')?.dataset.show ?? "all";
  listen();
  // What an earlier visit could not send yet is shown as it was tapped, and sent now.
  for (const event of outbox()) {
    const row = event.enrolment ? rowOf(event.enrolment) : null;
    if (row) mark(row, event.kind !== "undo", event.kind === "arrive" ? clock(new Date(event.happened_at)) : undefined);
  }
  showUnsent(outbox());
  send();
}
