// The file in which an instructor saves what is not sent, for the server's upload page.

/**
 * The name of the file and its content: `items`, what is unsent, in its order and each with the address to which it
 * would be sent. `moment`: when it is saved. The content has no `sent_at`: how long the file lies about says nothing
 * of the device's clock.
 */
export function unsentFile(items, moment) {
  const savedAt = moment.toISOString();
  return {
    name: `check-ins-${savedAt.slice(0, 16).replace(/\D/gu, "")}.json`,
    content: { saved_at: savedAt, items: items.map(({ path, event }) => ({ path, event })) },
  };
}
