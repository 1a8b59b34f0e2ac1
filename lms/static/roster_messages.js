// What the session page says when the server has answered for an event.
import { fill } from "./texts.js";
import { clockTime } from "./times.js";

/**
 * The message {text, tone} for an answer, or null where the row of the person says enough. `texts` are the
 * sentences of the page with its `language` and its time `zone`; `name` is whom the event was about.
 */
export function messageOf(answer, name, texts) {
  const why = answer.text?.[texts.language] ?? "";
  if (answer.outcome === "rejected") return { text: fill(texts.textRefused, { name, why }), tone: "danger" };
  if (answer.outcome === "review") return { text: fill(texts.textReview, { name }) + why, tone: "warning" };
  if (answer.outcome === "already" && answer.by) {
    const values = { name, by: answer.by, time: clockTime(answer.arrived_at, texts.zone) };
    return { text: fill(texts.textAlready, values), tone: "info" };
  }
  return null;
}
