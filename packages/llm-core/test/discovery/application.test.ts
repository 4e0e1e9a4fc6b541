import { join } from "node:path";
import { pathToFileURL } from "node:url";

import { describe, expect, test, vi } from "vitest";

import { discover } from "../../src/discovery.ts";
import { application, idsOf, plant, plugin, type Tree } from "./tree.ts";

describe("the application", () => {
  const tree: Tree = {
    ...application("x"),
    ...plugin("x"),
    "src/server.js": "",
    "dist/package.json": { type: "module" },
  };

  test("is found from a file URL, a path, a folder, or its package.json", async () => {
    const root = await plant(tree);
    for (const from of [
      pathToFileURL(join(root, "src/server.js")),
      pathToFileURL(join(root, "src/server.js")).href,
      join(root, "src/server.js"),
      root,
      join(root, "package.json"),
    ]) {
      expect(idsOf(await discover({ from }))).toEqual(["x"]);
    }
  });

  test("is the working directory's by default", async () => {
    const root = await plant(tree);
    const cwd = vi.spyOn(process, "cwd").mockReturnValue(join(root, "src"));
    try {
      expect(idsOf(await discover())).toEqual(["x"]);
    } finally {
      cwd.mockRestore();
    }
  });

  test("is not a folder whose package.json only tells its module system", async () => {
    const root = await plant(tree);
    expect(idsOf(await discover({ from: join(root, "dist/bundle.js") }))).toEqual(["x"]);
  });

  test("need not have dependencies, nor well-formed ones", async () => {
    const root = await plant({
      "package.json": { name: "app", dependencies: ["x"], optionalDependencies: null },
    });
    expect(await discover({ from: root })).toEqual({ plugins: [], models: [], diagnostics: [] });
  });

  test("with a broken package.json is an error that names the file", async () => {
    const root = await plant({ "package.json": "{" });
    await expect(discover({ from: root })).rejects.toMatchObject({
      code: "invalid-request",
      message: `no application to discover plugins for: ${join(root, "package.json")}: it is not valid JSON`,
    });
  });

  test("cannot be a URL of the web", async () => {
    await expect(discover({ from: "https://example.com/app.js" })).rejects.toMatchObject({
      code: "invalid-request",
      message: '"https://example.com/app.js" is no place to discover plugins from',
    });
  });

  test("missing altogether is an error that says what to pass", async () => {
    await expect(discover({ from: "/" })).rejects.toMatchObject({
      code: "invalid-request",
      message: "no application to discover plugins for: no package.json at or above /",
      hint: "pass a file or folder of the application",
    });
  });
});
