// The ticket of a trainee, as a QR code shows it. This device keeps only the SHA-256 of tickets (the roster has it).

// courses/attendance/scanning.py reads tickets by the same rule.
const TICKET = /(?:\/tickets\/|^)([A-Za-z0-9_-]{22})(?:[/?#]|$)/u;

/** The ticket in the text of a QR code (its address or the ticket alone), or undefined where there is none. */
export function ticketIn(text) {
  return TICKET.exec(text.trim())?.[1];
}

/** The SHA-256 of a ticket as hexadecimal digits, or null on a page that is not served securely. */
export async function ticketHash(ticket) {
  if (!crypto.subtle) return null;
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(ticket));
  return Array.from(new Uint8Array(digest), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
