import { readFileSync } from "node:fs";

import { expect, it } from "vitest";

import { isAccepted, NODE_RANGE } from "../src/node-range.ts";

it("is the range of the new package", () => {
  const manifest = readFileSync(new URL("../template/_package.json", import.meta.url), "utf8");
  expect(JSON.parse(manifest)).toMatchObject({ engines: { node: NODE_RANGE } });
});

it.each([
  ["20.20.2", false],
  ["22.17.1", false],
  ["22.18.0", true],
  ["23.11.0", false],
  ["24.10.0", false],
  ["24.11.0", true],
  ["25.2.0", false],
  ["26.0.0", true],
  ["27.1.0", true],
])("Node %s is inside: %s", (version, inside) => {
  expect(isAccepted(version)).toBe(inside);
});
