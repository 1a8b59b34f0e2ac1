// The session page: a tap is kept on this device, shown, and on its way. With a network the server has rendered the people;
// without one this script fills the page from the roster that this device keeps (masked names). What is shown of a person is
// what the server last told, and over it what happened here and is not sent yet. Without this script every button is a form.
import { newId, now } from "./device.js";
import * as outbox from "./outbox.js";

const root = document.querySelector("[data-roster]");
const text = root?.dataset ?? {};
const REFRESH_SECONDS = 30;
const CACHE = "check-in-language";

const list = root?.querySelector("[data-people]");
const message = root?.querySelector("[data-message]");
const search = root?.querySelector("[data-search]");
const session = Number(text.session ?? location.pathname.split("/")[2]);
const known = new Map(); // enrolment → {present, arrived, left}, as the server last told
const ownArrivals = new Map(); // enrolment → id of the arrival that we sent and that made the difference
let roster = null; // as fetched or kept: tickets, skills, hours
let waiting = []; // this session's unsent events, in order
let looked = Promise.resolve();
let looking = null;
let shown = "all";
let running = text.running === "yes";

/** What this page knows of the session: its number, its people's tickets, its skills; and its words. */
export function facts() {
  return { session, roster, text };
}

export function say(words, tone = "danger") {
  message.hidden = !words;
  message.textContent = words;
  message.dataset.tone = tone;
}

export function fill(words, values) {
  return Object.entries(values).reduce((said, [name, value]) => said.replace(`{${name}}`, value ?? ""), words);
}

export function rowOf(enrolment) {
  return list.querySelector(`[data-enrolment="${CSS.escape(String(enrolment))}"]`);
}

/** Keep what happened to somebody and send it; shown once it is on the disk. */
export async function happen(event) {
  const kept = await outbox.put({ event: { session, kind: "arrive", method: "tap", ...event } });
  await look();
  return kept;
}

/** How a person stands: what the server told, and over it what is not sent yet. */
export function stateOf(enrolment) {
  let state = known.get(enrolment) ?? { present: false };
  for (const { event } of waiting) {
    if (event.enrolment === enrolment) state = after(state, event);
  }
  return state;
}

function after(state, event) {
  if (event.kind === "undo") return { present: false };
  const at = new Date(Date.parse(event.told_at) + (event.offset_ms ?? 0)).toISOString();
  if (event.kind === "leave") return state.present ? { ...state, left: at } : state;
  return state.present ? { ...state, left: null } : { present: true, arrived: at, left: null };
}

function clock(moment) {
  if (!moment) return "";
  const form = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone: text.zone };
  return new Intl.DateTimeFormat("en-GB", form).format(new Date(moment));
}

function day(moment) {
  const at = new Date(moment);
  const date = new Intl.DateTimeFormat("en-CA", { timeZone: text.zone }).format(at);
  const weekday = new Intl.DateTimeFormat(document.documentElement.lang, { weekday: "short", timeZone: text.zone }).format(at);
  return `${date} ${weekday}`;
}

function paint(row) {
  const enrolment = Number(row.dataset.enrolment);
  const state = enrolment ? stateOf(enrolment) : { present: true, arrived: row.dataset.arrived };
  row.dataset.present = state.present ? "yes" : "no";
  row.querySelector("[data-time]").textContent = [state.arrived, state.left].filter(Boolean).map(clock).join("–");
  const unsent = waiting.some(({ key, event }) => (enrolment ? event.enrolment === enrolment : key === row.dataset.event));
  row.querySelector("[data-wait]").hidden = !unsent;
}

function count() {
  const rows = [...list.querySelectorAll(".person")];
  const present = rows.filter((row) => row.dataset.present === "yes").length;
  const figures = { all: rows.length, present, missing: rows.length - present };
  root.querySelectorAll("[data-count]").forEach((place) => { place.textContent = figures[place.dataset.count]; });
}

function paintAll() {
  list.querySelectorAll(".person").forEach(paint);
  count();
}

/** Read what is unsent and show everything anew; asked again before that begins, it is done once. */
function look() {
  looking ??= looked.catch(() => {}).then(() => {
    looking = null;
    looked = show();
    return looked;
  });
  return looking;
}

async function show() {
  waiting = (await outbox.pending()).filter((item) => item.path === outbox.CHECK_INS && item.event.session === session);
  waiting.filter((item) => item.event.walk_in).forEach(showWalkIn);
  paintAll();
}

function addRow(name) {
  const row = root.querySelector("template[data-person]").content.firstElementChild.cloneNode(true);
  row.dataset.name = name;
  row.dataset.key = norm(name);
  row.querySelectorAll("[data-person-name]").forEach((place) => { place.textContent = name; });
  list.append(row);
  return row;
}

function showWalkIn({ key, event }) {
  if (list.querySelector(`[data-event="${CSS.escape(key)}"]`)) return;
  const row = addRow(event.walk_in.name);
  row.dataset.event = key;
  row.dataset.arrived = event.told_at;
  row.querySelector(".person-there [data-person-note]").textContent = text.textWalkIn;
  row.querySelector("[data-undo]").remove();
}

function showPeople() {
  for (const person of roster.people) {
    let row = rowOf(person.enrolment);
    if (!row) {
      row = addRow(person.name);
      row.id = `person-${person.enrolment}`;
      row.dataset.enrolment = person.enrolment;
      row.querySelector(".person-tap").value = person.enrolment;
    }
    known.set(person.enrolment, { present: person.present, arrived: person.arrived_at, left: person.left_at });
  }
}

function norm(words) {
  return words.normalize("NFKC").replace(/[\s·•・]/gu, "").toUpperCase();
}

// Whoever types the whole name finds the masked one: a star stands for any character.
function fits(key, words) {
  if (!key.includes("*")) return key.includes(words);
  const letters = [...key];
  const wanted = [...words];
  return letters.some((_, start) => wanted.every((letter, place) => {
    const there = letters[start + place];
    return there === letter || there === "*";
  }));
}

export function filter() {
  const words = norm(search.value ?? "");
  let any = false;
  list.querySelectorAll(".person").forEach((row) => {
    const tail = row.dataset.tail ?? "";
    const named = !words || fits(row.dataset.key, words) || (/^\d+$/u.test(words) && tail.endsWith(words));
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

/** The server has answered for one event. */
function answered({ item, answer }) {
  const { event } = item;
  if (item.path !== outbox.CHECK_INS || event.session !== session) return;
  const enrolment = answer.enrolment ?? event.enrolment;
  if (answer.outcome !== "rejected" && answer.outcome !== "review" && enrolment) {
    known.set(enrolment, { present: answer.present, arrived: answer.arrived_at, left: answer.left_at });
    if (event.kind === "arrive" && answer.outcome === "accepted") ownArrivals.set(enrolment, event.id);
    else ownArrivals.delete(enrolment);
  }
  const name = event.walk_in?.name ?? (rowOf(enrolment)?.dataset.name || "");
  const why = answer.text?.[text.language] ?? "";
  if (event.walk_in && answer.outcome !== "review") list.querySelector(`[data-event="${CSS.escape(item.key)}"]`)?.remove();
  if (answer.outcome === "rejected") say(fill(text.textRefused, { name, why }));
  else if (answer.outcome === "review") say(fill(text.textReview, { name }) + why, "warning");
  else if (answer.outcome === "already" && answer.by) {
    say(fill(text.textAlready, { name, by: answer.by, time: clock(answer.arrived_at) }), "info");
  }
  look();
}

async function refresh() {
  const fetched = await outbox.fetchRoster(session);
  if (!fetched) return false;
  roster = fetched;
  showPeople();
  showSession();
  await look();
  filter();
  return true;
}

function showSession() {
  const { session: meeting } = roster;
  const opens = Date.parse(meeting.opens_at);
  const early = now() < opens;
  const closed = root.querySelector("[data-closed]");
  if (text.shell) {
    running = !early && list.childElementCount > 0;
    const title = named(meeting.title);
    root.querySelector("[data-title]").textContent = title;
    document.title = title;
    const hours = `${clock(meeting.starts_at)}–${clock(meeting.ends_at)}`;
    root.querySelector("[data-when]").textContent = `${day(meeting.starts_at)} ${hours} · ${meeting.place ?? ""}`;
    closed.hidden = !early && !meeting.closed;
    closed.textContent = early ? fill(text.textOpens, { time: clock(meeting.opens_at) }) : text.textClosed;
    root.dataset.running = running ? "yes" : "no";
    if (early) setTimeout(showSession, Math.min(opens - now(), 60000));
  }
}

/** A name that may be in both languages. */
export function named(name) {
  return name?.[text.language] ?? name?.zh ?? name ?? "";
}

function listen() {
  root.querySelector("[data-taps]")?.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const row = submitted.submitter?.closest(".person");
    if (!running || !row || row.dataset.present === "yes" || row.ariaBusy === "true") return;
    say("");
    row.ariaBusy = "true";
    happen({ enrolment: Number(row.dataset.enrolment) }).finally(() => { row.ariaBusy = "false"; });
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
      dialog.querySelector("[data-skills]").hidden = !roster?.skills?.length;
      dialog.showModal();
    });
    dialog.querySelector("[data-reason]").addEventListener("input", () => {
      dialog.querySelector("[data-other]").checked = true;
    });
    form.addEventListener("submit", (submitted) => {
      submitted.preventDefault();
      const kind = submitted.submitter?.value === "leave" ? "leave" : "undo";
      const reason = form.elements.reason.value.trim() || form.elements.choice.value;
      if (kind === "undo" && !reason) {
        form.elements.reason.focus();
        return;
      }
      change(Number(form.elements.enrolment.value), kind, reason);
      dialog.close();
    });
  }

  const walkIn = root.querySelector("[data-walk-in-dialog]");
  root.querySelector("[data-walk-in]")?.addEventListener("click", (click) => {
    if (!walkIn?.showModal) return;
    click.preventDefault();
    walkIn.querySelector("form").reset();
    walkIn.showModal();
  });
  walkIn?.querySelector("form").addEventListener("submit", (submitted) => {
    const name = submitted.target.elements.name.value.trim();
    if (!name) submitted.preventDefault();
    else happen({ method: "walk_in", walk_in: { id: newId(), name } });
  });

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
  outbox.events.addEventListener("answer", ({ detail }) => answered(detail));
  outbox.events.addEventListener("change", ({ detail }) => {
    root.querySelector("[data-offline]").hidden = !detail.unsent || detail.state !== "offline";
    look();
  });
  document.addEventListener("photographed", refresh);
  document.addEventListener("visibilitychange", () => { if (!document.hidden) refresh(); });
  setInterval(() => { if (!document.hidden) refresh(); }, REFRESH_SECONDS * 1000);
}

/** Left early, or not here at all. An undo names the arrival that it takes back, where this page knows which it was. */
function change(enrolment, kind, reason) {
  if (kind === "leave") return happen({ enrolment, kind });
  const unsent = waiting.filter(({ event }) => event.enrolment === enrolment && event.kind === "arrive");
  const own = known.get(enrolment)?.present ? ownArrivals.get(enrolment) : unsent.length === 1 && unsent[0].event.id;
  return happen({ enrolment, kind, reason, ...(own && { undoes: own }) });
}

async function keepPage() {
  if (!("serviceWorker" in navigator)) return false;
  try {
    const cache = await caches.open(CACHE);
    await cache.put("/sessions/offline/language", new Response(text.language));
    await navigator.serviceWorker.register("/sessions/worker.js");
    await navigator.serviceWorker.ready;
    return true;
  } catch {
    return false; // private browsing, or not served securely: the outbox works all the same
  }
}

async function begin() {
  root.querySelectorAll("[data-script-hides]").forEach((part) => { part.hidden = true; });
  shown = root.querySelector('[data-show][aria-current="true"]')?.dataset.show ?? "all";
  root.querySelector("[data-wechat]").hidden = !/MicroMessenger/u.test(navigator.userAgent);
  list.querySelectorAll(".person").forEach((row) => {
    const { present, arrived, left } = row.dataset;
    known.set(Number(row.dataset.enrolment), { present: present === "yes", arrived: arrived || null, left: left || null });
  });
  listen();
  await outbox.ready;
  roster = await outbox.keptRoster(session);
  const told = root.querySelector("[data-kept]");
  if (text.shell && roster) {
    showPeople();
    showSession();
    told.textContent = fill(text.textKept, { time: clock(roster.fetchedAt) });
  }
  await look();
  filter();
  const fresh = await refresh();
  if (text.shell) told.textContent = fresh ? "" : (roster ? told.textContent : text.textUnknown);
  else if ((await keepPage()) && fresh) told.textContent = text.textReady;
}

if (root) begin();
