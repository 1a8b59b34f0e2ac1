// Who is present at a session, as far as this device knows: the server's last word about each person, and over it
// the events that this device has not sent yet.

/**
 * The state of a person after one event. A state is {present, arrived, left}; the last two are ISO moments or
 * missing.
 */
export function stateAfter(state, event) {
  if (event.kind === "undo") return { present: false };
  const moment = new Date(Date.parse(event.told_at) + (event.offset_ms ?? 0)).toISOString();
  if (event.kind === "leave") return state.present ? { ...state, left: moment } : state;
  return state.present ? { ...state, left: null } : { present: true, arrived: moment, left: null };
}

export class Presence {
  #told = new Map(); // enrolment → state, as the server last told it
  #ownArrivals = new Map(); // enrolment → id of the arrival that this page sent and that checked the person in
  #unsent = []; // the unsent check-in events of this session, [{key, event}], in the order they happened

  /** The server told how a person stands. */
  learn(enrolment, state) {
    this.#told.set(enrolment, state);
  }

  /** The roster of the server told how its people stand. */
  learnRoster(people) {
    for (const { enrolment, present, arrived_at: arrived, left_at: left } of people) {
      this.learn(enrolment, { present, arrived, left });
    }
  }

  /** The events of this session that are not sent yet, in order. */
  setUnsent(items) {
    this.#unsent = items;
  }

  /** The walk-ins among the unsent events: people whom the server does not know yet. */
  unsentWalkIns() {
    return this.#unsent.filter((item) => item.event.walk_in);
  }

  /** How a person stands: what the server told, and over it what is not sent yet. */
  stateOf(enrolment) {
    const events = this.#unsent.map((item) => item.event).filter((event) => event.enrolment === enrolment);
    return events.reduce(stateAfter, this.#told.get(enrolment) ?? { present: false });
  }

  /** Whether an event of a person is not sent yet. */
  hasUnsent(enrolment) {
    return this.#unsent.some(({ event }) => event.enrolment === enrolment);
  }

  /** Whether the event with this key is not sent yet. */
  isUnsent(key) {
    return this.#unsent.some((item) => item.key === key);
  }

  /** The server answered for an event of this session. What it refused, or left to a review, changes nobody's state. */
  takeAnswer(event, answer) {
    const enrolment = answer.enrolment ?? event.enrolment;
    if (!enrolment || answer.outcome === "rejected" || answer.outcome === "review") return;
    this.learn(enrolment, { present: answer.present, arrived: answer.arrived_at, left: answer.left_at });
    if (event.kind === "arrive" && answer.outcome === "accepted") this.#ownArrivals.set(enrolment, event.id);
    else this.#ownArrivals.delete(enrolment);
  }

  /**
   * The id of the arrival that an undo takes back, or undefined where this page cannot tell which one it was:
   * another device may have checked the person in, or several arrivals may wait to be sent.
   */
  arrivalToUndo(enrolment) {
    if (this.#told.get(enrolment)?.present) return this.#ownArrivals.get(enrolment);
    const arrivals = this.#unsent.filter(({ event }) => event.enrolment === enrolment && event.kind === "arrive");
    return arrivals.length === 1 ? arrivals[0].event.id : undefined;
  }
}
