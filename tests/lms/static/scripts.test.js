import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const STATIC = new URL("../../../lms/static/", import.meta.url);
const TEMPLATES = new URL("../../../lms/templates/", import.meta.url);
const scripts = readdirSync(STATIC).filter((name) => name.endsWith(".js"));

const templates = readdirSync(TEMPLATES, { recursive: true })
  .filter((name) => name.endsWith(".html"))
  .map((name) => readFileSync(new URL(name, TEMPLATES), "utf8"))
  .join("\n");

function textOf(name) {
  return readFileSync(new URL(name, STATIC), "utf8");
}

function importsOf(name) {
  return [...textOf(name).matchAll(/(?:from|import) "\.\/([^"]+)"/gu)].map(([, imported]) => imported);
}

/** A script, and every script that it imports, directly or through another one. */
function closureOf(...names) {
  const closure = new Set(names);
  for (const name of closure) importsOf(name).forEach((imported) => closure.add(imported));
  return closure;
}

/**
 * Whether a script can be imported where there is no page: then what it does is tested here, else in
 * tests/journeys.
 */
async function isImportable(name) {
  try {
    await import(new URL(name, STATIC));
    return true;
  } catch (error) {
    if (error instanceof ReferenceError) return false;
    throw error;
  }
}

test("each script that needs no page has a test of its name", async () => {
  const untested = [];
  for (const name of scripts) {
    const testFile = new URL(name.replace(/\.js$/u, ".test.js"), import.meta.url);
    if ((await isImportable(name)) && !existsSync(testFile)) untested.push(name);
  }
  assert.deepEqual(untested, []);
});

test("each test is of a script that exists", () => {
  const tests = readdirSync(new URL(".", import.meta.url)).filter((name) => name.endsWith(".test.js"));
  const tested = tests.map((name) => name.replace(".test.js", ".js")).filter((name) => name !== "scripts.js");
  assert.deepEqual(tested.filter((name) => !scripts.includes(name)), []);
});

test("no script imports itself through another one", () => {
  for (const name of scripts) assert.equal(closureOf(...importsOf(name)).has(name), false, name);
});

test("each script is named by a template, by another script, or is a worker", () => {
  const used = closureOf(...scripts.filter((name) => templates.includes(name)));
  const workers = ["decoding-worker.js", "offline-worker.js", "session-worker.js"];
  assert.deepEqual(scripts.filter((name) => !used.has(name)), workers);
});

test("no script under /static/ serves two pages", () => {
  // A browser keeps these files for an hour. What one page imports was fetched together and fits together; a script
  // that two pages share could be older than the script that imports it. (The session page has a folder of its own
  // for each version.)
  const pages = new Set([...templates.matchAll(/filename=["']([a-z_]+\.js)["']/gu)].map(([, name]) => name));
  const imported = [...pages].flatMap((page) => [...closureOf(...importsOf(page))]);
  assert.ok(imported.length > 0);
  assert.deepEqual(imported.filter((name, place) => pages.has(name) || imported.indexOf(name) !== place), []);
});

test("the worker of offline verification keeps every script that its page runs on, and no other", () => {
  // The files of the session page stand in courses, and
  // tests/courses/attendance/devices/views/test_offline_session.py holds them to the imports.
  const view = readFileSync(new URL("../../../certificates/verification/views/offline.py", import.meta.url), "utf8");
  const [, named] = view.match(/^SCRIPTS = \(([^)]*)\)/mu);
  const kept = [...named.matchAll(/"([a-z_]+\.js)"/gu)].map(([, name]) => name);
  assert.deepEqual(kept.sort(), [...closureOf("offline.js")].sort());
});
