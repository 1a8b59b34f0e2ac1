import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { ticketHash, ticketIn } from "../../../lms/static/tickets.js";

const TICKET = "AbC-_0123456789xyzXYZ0";

test("a ticket is its address or itself", () => {
  for (const text of [
    TICKET,
    ` ${TICKET}\n`,
    `https://training.example.org/tickets/${TICKET}`,
    `http://x/tickets/${TICKET}?lang=en`,
    `http://x/tickets/${TICKET}/`,
  ]) assert.equal(ticketIn(text), TICKET, text);
});

test("other codes are no tickets", () => {
  for (const text of ["", "WIFI:S:x;P:y;;", "https://example.org/v/123456", "https://x/tickets/short", `${TICKET}x`]) {
    assert.equal(ticketIn(text), undefined, text);
  }
});

test("a ticket is known by its SHA-256 in hexadecimal digits, as the roster has it", async () => {
  assert.equal(await ticketHash(TICKET), createHash("sha256").update(TICKET).digest("hex"));
});
