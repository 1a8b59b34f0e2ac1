import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { ServerClock } from "../../../lms/static/server_clock.js";

let page;
let clock;

beforeEach(() => {
  page = 1000;
  clock = new ServerClock(() => page);
});

test("before the server has answered there is no time", () => {
  assert.equal(clock.isSet, false);
});

test("the time runs on from the answer", () => {
  clock.learn(500000);
  page += 2500;
  assert.equal(clock.isSet, true);
  assert.equal(clock.now(), 502500);
});

test("the answer that was fastest on its way is believed", () => {
  clock.learn(page + 99000); // sent at 100 000 by the server, here a second later
  page += 1000;
  clock.learn(page + 99900); // a tenth of a second
  page += 1000;
  clock.learn(page + 97000);
  assert.equal(clock.now(), page + 99900);
});

test("answers of long ago are forgotten, so that a clock that was set back is followed", () => {
  clock.learn(page + 99900);
  for (let time = 0; time < 11; time += 1) clock.learn(page + 50000);
  assert.equal(clock.now(), page + 99900);
  clock.learn(page + 50000);
  assert.equal(clock.now(), page + 50000);
});
