import { execFile } from "node:child_process";
import { mkdir, rename, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

import { discover } from "../../src/discovery.ts";
import { application, discoverOne, idsOf, plant, plugin, rowOf } from "./tree.ts";

describe("candidates", () => {
  test("are the direct dependencies, optional ones included, and nothing else", async () => {
    const root = await plant({
      "package.json": {
        name: "app",
        dependencies: { direct: "1", library: "1" },
        optionalDependencies: { "direct-optional": "1" },
        devDependencies: { "for-development": "1" },
        peerDependencies: { peer: "1" },
      },
      ...plugin("direct"),
      ...plugin("direct-optional"),
      ...plugin("for-development"),
      ...plugin("peer"),
      ...plugin("transitive"),
      "node_modules/library/package.json": { name: "library", dependencies: { transitive: "1" } },
    });
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["direct", "direct-optional"]);
    expect(found.diagnostics.map(({ packageName, status }) => [packageName, status])).toEqual([
      ["direct", "used"],
      ["library", "ignored"],
      ["direct-optional", "used"],
    ]);
  });

  test("are not imported before they are used", async () => {
    const found = await discover({ from: await plant({ ...application("lazy"), ...plugin("lazy") }) });
    expect(globalThis).not.toHaveProperty("imported");
    expect(await found.plugins[0]?.load()).toMatchObject({ default: { id: "lazy" } });
    expect(globalThis).toHaveProperty("imported", ["lazy"]);
    Reflect.deleteProperty(globalThis, "imported");
  });

  test("say which package they are and what they can do", async () => {
    const found = await discoverOne({
      operations: ["chat", "embed"],
      features: ["tools"],
      modelFormats: ["gguf"],
    });
    expect(found.plugins).toMatchObject([
      {
        packageName: "x",
        packageVersion: "1.2.3",
        manifest: {
          contract: 1,
          id: "x",
          operations: ["chat", "embed"],
          features: ["tools"],
          modelFormats: ["gguf"],
        },
      },
    ]);
    expect(rowOf(found, "x")).toMatchObject({
      id: "x",
      status: "used",
      message: 'x@1.2.3 gives provider "x" (chat, embed)',
    });
  });

  test("one that is not installed is named, with the command that installs it", async () => {
    const root = await plant({
      "package.json": { dependencies: { gone: "1" }, optionalDependencies: { "gone-too": "1" } },
      "pnpm-lock.yaml": "",
    });
    expect((await discover({ from: root })).diagnostics).toEqual([
      {
        packageName: "gone",
        status: "failed",
        code: "plugin-load-failed",
        message: "gone is a dependency and not installed",
        hint: "run `pnpm install`",
      },
      {
        packageName: "gone-too",
        status: "ignored",
        message: "gone-too is an optional dependency and not installed",
      },
    ]);
  });
});

describe("a package is found", () => {
  test("when it exports neither its package.json nor anything to require", async () => {
    const found = await discover({
      from: await plant({
        ...application("hidden", "sealed"),
        ...plugin("hidden", {}, { exports: { ".": { import: "./index.js" } } }),
        ...plugin("sealed", {}, { exports: {} }),
      }),
    });
    expect(idsOf(found)).toEqual(["hidden", "sealed"]);
    expect(await found.plugins[1]?.load()).toMatchObject({ default: { id: "sealed" } });
  });

  test("when its exports point elsewhere for its package.json", async () => {
    const found = await discoverOne(
      {},
      {
        "node_modules/x/dist/package.json": { type: "module" },
        ...plugin("x", {}, { exports: { "./*": "./dist/*" } }),
      },
    );
    expect(idsOf(found)).toEqual(["x"]);
  });

  test("behind the links of a strict pnpm", async () => {
    const root = await plant(application("linked"));
    const store = "node_modules/.pnpm/linked@1.2.3/";
    for (const [path, content] of Object.entries(plugin("linked"))) {
      await mkdir(join(root, store, "node_modules/linked"), { recursive: true });
      const text = typeof content === "string" ? content : JSON.stringify(content);
      await writeFile(join(root, store, path), text);
    }
    await symlink(".pnpm/linked@1.2.3/node_modules/linked", join(root, "node_modules/linked"), "junction");
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["linked"]);
    expect(await found.plugins[0]?.load()).toMatchObject({ default: { id: "linked" } });
  });

  test("in a folder further up, as workspaces have it", async () => {
    const root = await plant({
      ...plugin("shared"),
      "apps/one/package.json": { name: "one", dependencies: { shared: "1" } },
    });
    expect(idsOf(await discover({ from: join(root, "apps/one") }))).toEqual(["shared"]);
  });

  test("under the name of a built-in module", async () => {
    const root = await plant({ ...application("events"), ...plugin("events") });
    expect(idsOf(await discover({ from: root }))).toEqual(["events"]);
  });

  test("under a scope, an alias, or a name outside ASCII", async () => {
    const root = await plant(
      {
        ...application("@acme/llm-provider-große", "alias"),
        ...plugin("@acme/llm-provider-große", { id: "gross" }),
        ...plugin("alias", {}, { name: "@acme/real-name" }),
      },
      "Ordner mit Ümläuten 文件夹 #1%20",
    );
    const found = await discover({ from: root });
    expect(idsOf(found)).toEqual(["gross", "alias"]);
  });
});

/** Runs the source of discovery under Node itself, without the test runner's own module loading, and gives its result. */
async function discoverInNode(root: string, before = ""): Promise<unknown> {
  const source = new URL("../../src/discovery.ts", import.meta.url).href;
  const script = `
    ${before}
    const { discover } = await import(${JSON.stringify(source)});
    const { plugins } = await discover({ from: ${JSON.stringify(root)} });
    console.log(JSON.stringify(await Promise.all(plugins.map(async ({ load }) => (await load()).default))));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script]);
  return JSON.parse(stdout);
}

test("an entry in a folder with an odd name is imported by Node itself", async () => {
  const root = await plant(
    { ...application("@acme/größe"), ...plugin("@acme/größe", { id: "gross" }) },
    "Ordner mit Ümläuten 文件夹 #1%20?",
  );
  expect(await discoverInNode(root)).toEqual([{ id: "größe" }]);
});

test("a host with a resolution of its own is asked where the folders tell nothing", async () => {
  const root = await plant({ ...application("virtual"), ...plugin("virtual") });
  await rename(join(root, "node_modules"), join(root, "archive"));
  const hook = `
    const { default: Module } = await import("node:module");
    const original = Module._resolveFilename;
    Module._resolveFilename = (request, ...rest) =>
      request.startsWith("virtual/") ? ${JSON.stringify(join(root, "archive"))} + "/" + request : original(request, ...rest);`;
  expect(await discoverInNode(root)).toEqual([]);
  expect(await discoverInNode(root, hook)).toEqual([{ id: "virtual" }]);
});
