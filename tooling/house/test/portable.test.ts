import { describe, expect, test } from "vitest";

import { filesBelow, read } from "../checks/house.ts";
import { bound } from "../checks/portable.ts";

const texts = /\.([mc]?[jt]sx?|json|md|ya?ml|css|html|py|sh)$|\.ci\/run$/;

describe("the checkout works anywhere", () => {
  test("no file leads to a place on somebody's own machine", () => {
    const files = filesBelow("").filter(
      (path) => texts.test(path) && !path.startsWith("tooling/house/test/"),
    );
    expect(bound(files.map((path) => ({ path, text: read(path) })))).toEqual([]);
  });
});

describe("the check of places", () => {
  test("finds a home folder, and lets a test invent one, a web address and a system's folder be", () => {
    expect(bound([{ path: "a.ts", text: 'open("/home/ada/models/a.gguf")' }])).toEqual([
      "a.ts leads to /home/ada",
    ]);
    expect(bound([{ path: "a/test/b.ts", text: 'open("/home/ada/models/a.gguf")' }])).toEqual([]);
    expect(
      bound([{ path: "a.ts", text: '"https://example.com/home/ada", "/usr/bin/env", "/api/v1/work/1"' }]),
    ).toEqual([]);
  });
});
