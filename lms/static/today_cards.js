// The cards of "Today" without a network: one for each session whose roster this device keeps.
import { stateOf } from "./day_sessions.js";
import { now } from "./device_clock.js";
import { CHECK_INS } from "./outbox.js";
import { learnOwn } from "./own_check_in.js";
import { Presence } from "./presence.js";
import { headcountOf } from "./session_acts.js";
import { inLanguage } from "./texts.js";
import { clockTime, dayWithWeekday } from "./times.js";

/**
 * How many people of a roster are present, and how many there are, with what is not sent yet laid over it. `unsent`:
 * the unsent items of the outbox.
 */
function countOf({ session, people }, unsent) {
  const presence = new Presence();
  presence.learnRoster(people);
  presence.setUnsent(unsent.filter(({ path, event }) => path === CHECK_INS && event.session === session.id));
  const walkIns = presence.unsentWalkIns().length;
  const present = people.filter(({ enrolment }) => presence.stateOf(enrolment).present).length;
  return { present: present + walkIns, enrolled: people.length + walkIns };
}

// The other pages of a session that open without a network; a session that is not open yet, or is closed, has fewer.
function linkPages(card, { session, offering }, state) {
  const pages = {
    results: offering && `/offerings/${offering.id}/assessment`,
    headcount: !["closed", "early"].includes(state) && `/sessions/${session.id}/headcount`,
    close: !["closed", "early", "open"].includes(state) && `/sessions/${session.id}/close`,
  };
  card.querySelectorAll("[data-link]").forEach((link) => {
    const address = pages[link.dataset.link];
    link.hidden = !address;
    link.setAttribute("href", address || "");
  });
}

function fillCard(card, roster, unsent, { language, zone, dated }) {
  const { session } = roster;
  const write = (name, text) => { card.querySelector(`[data-${name}]`).textContent = text; };
  const { present, enrolled } = countOf(roster, unsent);
  const state = stateOf(session, now());
  const day = dated ? dayWithWeekday(session.starts_at, zone, document.documentElement.lang) : "";
  write("hours", `${clockTime(session.starts_at, zone)}–${clockTime(session.ends_at, zone)}`);
  write("course", inLanguage(session.title, language));
  write("place", [day, session.place].filter(Boolean).join(" · "));
  write("present", present);
  write("enrolled", enrolled);
  const heads = headcountOf(session, unsent);
  card.querySelector("[data-headcount]").hidden = !heads;
  write("headcount-number", heads);
  learnOwn(card.querySelector("[data-own]"), roster);
  card.querySelectorAll("[data-state]").forEach((badge) => { badge.hidden = badge.dataset.state !== state; });
  card.querySelector("[data-roster-link]").href = `/sessions/${session.id}/attendance`;
  linkPages(card, roster, state);
}

/** Show kept rosters as cards in a place. `template`: an empty card. */
export function showCards(place, template, rosters, unsent, options) {
  place.replaceChildren(...rosters.map((roster) => {
    const card = template.content.firstElementChild.cloneNode(true);
    card.dataset.session = roster.session.id;
    fillCard(card, roster, unsent, options);
    return card;
  }));
}
