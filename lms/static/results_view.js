// The attempts of a person as the grid of results shows them: the server's last word, and over it what is not sent yet.

/** The attempts after a mark in the attempt `number`, or in the latest one. A first attempt begins by itself. */
export function withMark(attempts, mark, number) {
  const begun = attempts.length ? attempts : [{ attempt: 1, theory: null, skills: {} }];
  const place = begun.findIndex(({ attempt }) => attempt === number);
  const marked = place < 0 ? begun.length - 1 : place;
  return begun.map((attempt, index) => (index === marked ? mark(attempt) : attempt));
}

/** The attempts after a skill was passed (true), not passed (false) or not examined after all (null). */
export function withSkill(attempts, skill, passed) {
  return withMark(attempts, (attempt) => {
    const { [skill]: _former, ...others } = attempt.skills;
    return { ...attempt, skills: passed === null ? others : { ...others, [skill]: passed } };
  });
}

/** The attempts after a theory score; null takes it back. */
export function withScore(attempts, score, number) {
  return withMark(attempts, (attempt) => ({ ...attempt, theory: score }), number);
}

/** The attempts once the retest `number` has begun. */
export function withRetest(attempts, number) {
  if (attempts.some(({ attempt }) => attempt >= number)) return attempts;
  return [...attempts, { attempt: number, theory: null, skills: {} }];
}

/** The attempts after what this device has not sent yet: items of the outbox about one person, in their order. */
export function afterUnsent(attempts, items) {
  return items.reduce((present, { event }) => {
    if ("skill" in event) return withSkill(present, event.skill, event.passed);
    if ("score" in event) return withScore(present, event.score);
    return "after" in event ? withRetest(present, event.after + 1) : present;
  }, attempts);
}

/** Whether any attempt has passed the skill. */
export function hasPassed(attempts, skill) {
  return attempts.some(({ skills }) => skills[skill] === true);
}

/**
 * Whether the latest attempt failed in something that no attempt has passed. `mark`: from which score theory is
 * passed, null without a theory test. courses/assessment/grid.py has the same rule.
 */
export function retestDue(attempts, mark, skills) {
  const latest = attempts[attempts.length - 1];
  if (!latest) return false;
  const theoryFailed = mark !== null && latest.theory !== null
    && !attempts.some(({ theory }) => theory !== null && theory >= mark);
  return theoryFailed || skills.some((skill) => latest.skills[skill] === false && !hasPassed(attempts, skill));
}

/** What a typed score means: {score} (null for an empty cell), or null where it is no score. */
export function readScore(typed) {
  const text = typed.trim();
  if (!text) return { score: null };
  return /^\d{1,3}$/u.test(text) && Number(text) <= 100 ? { score: Number(text) } : null;
}

/** The attempts before the latest one, in few characters: "45, 2/4; 58, 3/4". */
export function earlierText(attempts, skills) {
  return attempts.slice(0, -1).map((attempt) => {
    const passed = skills.filter((skill) => attempt.skills[skill] === true).length;
    const parts = attempt.theory === null ? [] : [String(attempt.theory)];
    if (Object.keys(attempt.skills).length) parts.push(`${passed}/${skills.length}`);
    return parts.join(", ") || "–";
  }).join("; ");
}
