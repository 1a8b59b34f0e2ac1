import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const [lockText, packageText] = ["package-lock.json", "package.json"].map((name) => (
  readFileSync(new URL(`../${name}`, import.meta.url), "utf8")
));

test("the lock file pins every package with its hash, and names no address", () => {
  const { "": root, ...packages } = JSON.parse(lockText).packages;
  assert.ok(Object.keys(packages).length > 0);
  for (const [name, { version, integrity }] of Object.entries(packages)) {
    assert.match(version, /^\d+\.\d+\.\d+/u, name);
    assert.match(integrity, /^sha512-/u, name);
  }
  assert.equal(lockText.includes("://"), false);
  const { dependencies, devDependencies } = JSON.parse(packageText);
  assert.deepEqual([root.dependencies, root.devDependencies], [dependencies, devDependencies]);
});

test("fonts and the decoder are served, the rest serves checks, all in exact versions", () => {
  const { dependencies, devDependencies } = JSON.parse(packageText);
  const served = Object.keys(dependencies).filter((name) => !name.startsWith("@expo-google-fonts/"));
  assert.deepEqual(served, ["zxing-wasm"]);
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+$/u, name);
  }
});
