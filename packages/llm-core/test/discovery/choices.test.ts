import { describe, expect, test } from "vitest";

import { discover } from "../../src/discovery.ts";
import { application, idsOf, plant, plugin, rowOf, type Tree } from "./tree.ts";

describe("one id, two packages", () => {
  const tree: Tree = {
    ...application("a", "b", "c"),
    ...plugin("a", { id: "twin" }),
    ...plugin("b", { id: "twin" }),
    ...plugin("c"),
  };

  test("neither is used, and both are named", async () => {
    const found = await discover({ from: await plant({ ...tree, "package-lock.json": "" }) });
    expect(idsOf(found)).toEqual(["c"]);
    for (const name of ["a", "b"]) {
      expect(rowOf(found, name)).toEqual({
        packageName: name,
        packageVersion: "1.2.3",
        id: "twin",
        status: "refused",
        code: "plugin-duplicate",
        message: 'a@1.2.3 and b@1.2.3 both claim the provider id "twin"; none of them is used',
        hint: `keep one: \`npm uninstall ${name}\`, or name the package in the deny list of discovery`,
      });
    }
  });

  test("a deny list or an allow list settles it", async () => {
    const root = await plant(tree);
    const denied = await discover({ from: root, deny: ["a"] });
    expect(denied.plugins.map(({ packageName }) => packageName)).toEqual(["b", "c"]);
    expect(rowOf(denied, "a")).toMatchObject({ status: "ignored", message: "the application denies a" });
    const allowed = await discover({ from: root, allow: ["a", "c"] });
    expect(allowed.plugins.map(({ packageName }) => packageName)).toEqual(["a", "c"]);
  });

  test("a refused package claims nothing", async () => {
    const root = await plant({ ...tree, ...plugin("b", { id: "twin", contract: 9 }) });
    expect(idsOf(await discover({ from: root }))).toEqual(["twin", "c"]);
  });
});

describe("allow and deny", () => {
  const tree: Tree = {
    ...application("pkg-a", "pkg-b"),
    ...plugin("pkg-a", { id: "a" }),
    ...plugin("pkg-b", { id: "b" }),
  };

  test("take names of packages and ids of providers", async () => {
    const root = await plant(tree);
    expect(idsOf(await discover({ from: root, allow: ["a"] }))).toEqual(["a"]);
    expect(idsOf(await discover({ from: root, allow: ["pkg-b"] }))).toEqual(["b"]);
    expect(idsOf(await discover({ from: root, deny: ["b"] }))).toEqual(["a"]);
    expect(idsOf(await discover({ from: root, allow: [] }))).toEqual([]);
  });

  test("deny wins", async () => {
    const found = await discover({ from: await plant(tree), allow: ["pkg-a", "b"], deny: ["a"] });
    expect(idsOf(found)).toEqual(["b"]);
    expect(rowOf(found, "pkg-a")).toMatchObject({
      status: "ignored",
      message: 'the application denies provider "a" of pkg-a',
    });
  });

  test("an allowed name that meets nothing is told", async () => {
    const found = await discover({ from: await plant(tree), allow: ["a", "lama"] });
    expect(rowOf(found, "pkg-b")).toMatchObject({ status: "ignored" });
    expect(rowOf(found, "lama")).toMatchObject({
      status: "ignored",
      message: expect.stringContaining('allows "lama"'),
    });
  });
});
