import { expect, test } from "vitest";

import { runInChild } from "../../src/checks/child.ts";
import type { Bench } from "../../src/index.ts";

/** A bench around a module that is written here. */
function benchOf(source: string): Bench {
  const module = new URL(`data:text/javascript,${encodeURIComponent(source)}`);
  const bench = {
    subject: { module, settings: () => ({}) },
    manifest: { operations: [], entry: "" },
    folder: new URL(".", import.meta.url),
    start: async () => ({ backend: { settings: {} }, model: "m" }),
  };
  return bench as unknown as Bench;
}

test("what a plugin prints is not taken for what it leaves", async () => {
  const run = await runInChild(
    benchOf('console.log("hello"); export default { create: () => ({ close() { console.log("bye") } }) };'),
  );
  expect(run).toEqual({ left: [], exitedAfterMs: expect.any(Number) });
});

test("what is left is named", async () => {
  const source = "export default { create: () => ({ close() { setTimeout(() => {}, 400) } }) };";
  const { left, exitedAfterMs } = await runInChild(benchOf(source));
  expect(left).toEqual(["Timeout"]);
  expect(exitedAfterMs).toBeGreaterThan(50);
});
