import { execFile } from "node:child_process";
import { cp, mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import { build } from "esbuild";
import { expect, test } from "vitest";

import { discover, generateStaticImports } from "../../src/discovery.ts";
import { application, modelPackage, plant, plugin } from "./tree.ts";

const run = promisify(execFile);
const cli = fileURLToPath(new URL("../../src/discovery/cli.ts", import.meta.url));

test("imports go by name where the package exports its entry, by path where it does not", async () => {
  const root = await plant({
    ...application("plain", "main", "conditions", "subpath", "sealed", "pattern", "browser-first"),
    ...plugin("plain"),
    ...plugin("main", {}, { exports: "./index.js" }),
    ...plugin(
      "conditions",
      {},
      { exports: { ".": { types: "./index.d.ts", import: { default: "./index.js" } } } },
    ),
    ...plugin("subpath", {}, { exports: { ".": "./other.js", "./plugin": "./index.js" } }),
    ...plugin("sealed", {}, { exports: { ".": "./other.js" } }),
    ...plugin("pattern", {}, { exports: { "./*": "./*" } }),
    ...plugin("browser-first", {}, { exports: { browser: "./web.js", default: "./index.js" } }),
  });
  const module = generateStaticImports(await discover({ from: root }), {
    outFile: join(root, "src/plugins.js"),
  });
  expect([...module.matchAll(/import\("(.*)"\)/g)].map(([, specifier]) => specifier)).toEqual([
    "plain/index.js",
    "main",
    "conditions",
    "subpath/plugin",
    "../node_modules/sealed/index.js",
    "../node_modules/pattern/index.js",
    "browser-first",
  ]);
});

test("the module for TypeScript says its type, and model files are left out aloud", async () => {
  const model = { id: "tiny", format: "gguf", task: "chat", path: "./m.gguf", bytes: 4, license: "MIT" };
  const root = await plant({
    ...application("x", "weights", "react"),
    ...plugin("x"),
    ...modelPackage("weights", [model], { "m.gguf": "GGUF" }),
    "node_modules/react/package.json": { name: "react" },
  });
  const found = await discover({ from: root });
  expect(generateStaticImports(found, { outFile: pathToFileURL(join(root, "plugins.ts")) })).toBe(`\
// Generated from the application's package.json by enginehouse-plugins. Make it again when a dependency changes.
import type { Discovery } from "@enginehouse/llm-core";

export const discovery: Discovery = {
  plugins: [
    {
      "packageName": "x",
      "packageVersion": "1.2.3",
      "manifest": {
        "contract": 1,
        "id": "x",
        "entry": "./index.js",
        "operations": [
          "health"
        ],
        "features": [],
        "modelFormats": []
      },
      "load": () => import("x/index.js")
    },
  ],
  models: [],
  diagnostics: [
    {
      "packageName": "x",
      "packageVersion": "1.2.3",
      "id": "x",
      "status": "used",
      "message": "x@1.2.3 gives provider \\"x\\" (health)"
    },
    {
      "packageName": "weights",
      "status": "ignored",
      "message": "the model files of weights are not bundled",
      "hint": "ship them beside the bundle and add them to \`models\`"
    }
  ],
};
`);
});

test("a bundled application uses its plugins with no node_modules beside it", async () => {
  const core = fileURLToPath(new URL("../..", import.meta.url));
  const root = await plant({
    ...application("good", "sealed", "throws"),
    ...plugin("good", {}, { exports: { ".": { import: "./index.js" } } }),
    ...plugin("sealed", {}, { exports: {} }),
    ...plugin("throws"),
    "main.js": `
      import { createRegistry } from "@enginehouse/llm-core";
      import { discovery } from "./plugins.js";
      const registry = createRegistry({ discovery });
      const ids = registry.list().map(({ id }) => id);
      const health = [];
      for (const id of ids) {
        health.push(await registry.provider(id).then((one) => one.health(), (error) => error.code));
      }
      console.log(JSON.stringify({ ids, health }));
    `,
  });
  const define = (id: string): string =>
    `import { defineProvider } from "@enginehouse/llm-core";
     const settings = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
     const create = (_, { name }) => ({ name, health: async () => ({ status: "ok", message: "${id}" }), close: async () => {} });
     export default defineProvider({ id: "${id}", contract: 1, settings, create });`;
  await writeFile(join(root, "node_modules/good/index.js"), define("good"));
  await writeFile(join(root, "node_modules/sealed/index.js"), define("sealed"));
  await writeFile(join(root, "node_modules/throws/index.js"), "throw new Error('no licence file');");
  await mkdir(join(root, "node_modules/@enginehouse"));
  await symlink(core, join(root, "node_modules/@enginehouse/llm-core"), "junction");

  const out = join(root, "plugins.js");
  const { stdout } = await run(process.execPath, [cli, "--from", root, "--out", out]);
  expect(stdout).toBe(`${out}: good, sealed, throws\n`);

  await build({
    entryPoints: [join(root, "main.js")],
    outfile: join(root, "bundle.mjs"),
    bundle: true,
    format: "esm",
    platform: "node",
    conditions: ["@enginehouse/source"],
  });
  const elsewhere = await plant({}, "elsewhere");
  await cp(join(root, "bundle.mjs"), join(elsewhere, "bundle.mjs"));
  const answer = await run(process.execPath, ["bundle.mjs"], { cwd: elsewhere });
  expect(JSON.parse(answer.stdout)).toEqual({
    ids: ["good", "sealed", "throws"],
    health: [{ status: "ok", message: "good" }, { status: "ok", message: "sealed" }, "plugin-load-failed"],
  });
});

test("the command writes nothing while a plugin is refused, and says which", async () => {
  const root = await plant({
    ...application("good", "bad"),
    ...plugin("good"),
    ...plugin("bad", { contract: 9 }),
  });
  const out = join(root, "plugins.js");
  const args = ["--from", root, "--out", out];
  await expect(run(process.execPath, [cli, ...args])).rejects.toMatchObject({
    code: 1,
    stderr: expect.stringContaining(
      "plugin-incompatible: bad@1.2.3 speaks contract 9, this host speaks 1\n  run ",
    ),
  });
  await expect(readFile(out)).rejects.toMatchObject({ code: "ENOENT" });
  await run(process.execPath, [cli, ...args, "--deny", "bad"]);
  expect(await readFile(out, "utf8")).toContain('import("good/index.js")');
});

test("the command explains itself when it is not understood", async () => {
  const usage = expect.stringContaining("enginehouse-plugins --out <file>");
  await expect(run(process.execPath, [cli])).rejects.toMatchObject({ code: 2, stderr: usage });
  await expect(run(process.execPath, [cli, "--colour"])).rejects.toMatchObject({ code: 2, stderr: usage });
  await expect(run(process.execPath, [cli, "--out", "x.js", "--from", "/"])).rejects.toMatchObject({
    code: 2,
    stderr: expect.stringContaining("invalid-request: no application to discover plugins for"),
  });
  expect((await run(process.execPath, [cli, "--help"])).stdout).toEqual(usage);
});
