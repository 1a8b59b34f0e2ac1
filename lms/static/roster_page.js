// The parts of the session page that several scripts use, and its line for messages.

/**
 * The element that holds the session page, and what the server wrote into it: the sentences, the language, the
 * zone.
 */
export const root = document.querySelector("[data-roster]");
export const texts = root.dataset;

/** The list of people. */
export const list = root.querySelector("[data-people]");

const announcement = root.querySelector("[data-announce]");
const message = root.querySelector("[data-message]");

/** Show a message above the list; an empty text takes it away. */
export function say(text, tone = "danger") {
  message.hidden = !text;
  message.textContent = text;
  message.dataset.tone = tone;
}

/** Tell something to those who do not see the page change. */
export function announce(text) {
  announcement.textContent = text;
}
