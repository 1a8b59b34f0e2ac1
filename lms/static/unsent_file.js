// The file in which an instructor saves what is not sent, for the server's upload page.

/**
 * The name of the file and its content. `items`: what is unsent; `paths`: the addresses of check-ins and of skill
 * results; `moment`: when it is saved. The content has no `sent_at`: how long the file lies about says nothing of
 * the device's clock.
 */
export function unsentFile(items, { checkIns, skillResults }, moment) {
  const eventsFor = (path) => items.filter((item) => item.path === path).map((item) => item.event);
  const savedAt = moment.toISOString();
  return {
    name: `check-ins-${savedAt.slice(0, 16).replace(/\D/gu, "")}.json`,
    content: { saved_at: savedAt, events: eventsFor(checkIns), skill_results: eventsFor(skillResults) },
  };
}
