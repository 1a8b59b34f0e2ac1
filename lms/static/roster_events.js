// From the session page to the outbox and back: an event is kept and shown; the server's answer for it is shown.
import { coalesce } from "./coalesce.js";
import * as outbox from "./outbox.js";
import { messageOf } from "./roster_messages.js";
import { root, say, texts } from "./roster_page.js";
import { paintRows, removeWalkIn, rowOf, showWalkIn } from "./roster_rows.js";
import { presence, state } from "./roster_state.js";

function isOurs({ path, event }) {
  return path === outbox.CHECK_INS && event.session === state.session;
}

/** Read what is not sent yet, and paint every row anew. */
export const redraw = coalesce(async () => {
  presence.setUnsent((await outbox.pending()).filter(isOurs));
  presence.unsentWalkIns().forEach(showWalkIn);
  paintRows();
});

/** Keep what happened to several people, all or none, and send it. Resolves with the events once they are shown. */
export async function recordAll(events) {
  const common = { session: state.session, kind: "arrive", method: "tap" };
  const kept = await outbox.putAll({ events: events.map((event) => ({ ...common, ...event })) });
  await redraw();
  return kept;
}

/** Keep what happened to somebody, and send it. Resolves with the event once it is kept and shown. */
export async function record(event) {
  const [kept] = await recordAll([event]);
  return kept;
}

/** The server has answered for one event. */
function takeAnswer({ item, answer }) {
  if (!isOurs(item)) return;
  const { event } = item;
  presence.takeAnswer(event, answer);
  const row = rowOf(answer.enrolment ?? event.enrolment);
  const name = event.walk_in?.name ?? row?.dataset.name ?? "";
  if (event.walk_in && answer.outcome !== "review") removeWalkIn(item.key);
  const message = messageOf(answer, name, texts);
  if (message) say(message.text, message.tone);
  redraw();
}

/** Show each answer, each event of another tab, and whether there is a connection. */
export function listenToOutbox() {
  outbox.events.addEventListener("answer", ({ detail }) => takeAnswer(detail));
  outbox.events.addEventListener("change", ({ detail }) => {
    root.querySelector("[data-offline]").hidden = !detail.unsent || detail.state !== "offline";
    redraw();
  });
}
