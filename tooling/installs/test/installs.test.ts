import { mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { Diagnostic, ModelFile } from "@enginehouse/llm-core";
import { build } from "esbuild";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type Commands, createEnvironment, findCommands, run } from "./commands.ts";
import { APPLICATION, BUNDLED_PROGRAM, INSTALLED_PROGRAM } from "./fixtures.ts";
import { type Installed, installApplication, LAYOUTS } from "./layouts.ts";
import { publishAll } from "./publish.ts";
import { type Registry, startRegistry } from "./registry.ts";

interface Report {
  readonly node: string;
  readonly pnp: boolean;
  readonly listed: readonly { readonly id: string; readonly packageName: string }[];
  readonly importedByListing: readonly string[];
  readonly answers: Readonly<Record<string, { readonly text?: string; readonly code?: string }>>;
  readonly sameModule: Readonly<Record<string, boolean>>;
  readonly models: readonly ModelFile[];
  readonly diagnostics: readonly Diagnostic[];
}

let root: string;
let registry: Registry;
let commands: Commands;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "installs-")));
  const home = join(root, "home");
  await mkdir(home);
  env = createEnvironment(home);
  commands = await findCommands();
  registry = await startRegistry(root, env);
  const address = registry.url.replace("http:", "");
  await writeFile(join(home, "npmrc"), `registry=${registry.url}\n${address}:_authToken=none\n`);
  await publishAll({ pnpm: commands.pnpm, env, folder: root });
});

afterAll(async () => {
  await registry?.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
});

describe.each(LAYOUTS)("installed with $name", (layout) => {
  let application: Installed;
  let report: Report;
  const folder = (): string => join(root, layout.name);
  const rowsOf = (name: string): readonly Diagnostic[] =>
    report.diagnostics.filter(({ packageName }) => packageName === name);

  beforeAll(async () => {
    const files = {
      "package.json": JSON.stringify(APPLICATION),
      "installed.mjs": INSTALLED_PROGRAM,
      "bundled.mjs": BUNDLED_PROGRAM,
    };
    application = await installApplication(layout, files, {
      folder: folder(),
      commands,
      env,
      registryUrl: registry.url,
    });
    report = JSON.parse(await application.node("installed.mjs")) as Report;
  });

  test("the application runs under this Node, in this layout", () => {
    expect(report.node).toBe(process.version);
    expect(report.pnp).toBe(layout.name === "Yarn PnP");
  });

  test("every sound plugin is listed, without a transitive one, and none is imported for that", () => {
    expect(report.listed.map(({ packageName }) => packageName).toSorted()).toEqual([
      "@enginehouse/llm-provider-echo",
      "fixture-hangs",
      "fixture-import-only",
      "fixture-liar",
      "fixture-not-a-plugin",
      "fixture-peer",
      "fixture-plain",
      "fixture-sealed",
      "fixture-throws",
    ]);
    expect(report.importedByListing).toEqual([]);
  });

  test("sound plugins answer, whatever they export", () => {
    expect(report.answers["plain"]).toEqual({ text: "hello from plain" });
    expect(report.answers["peer"]).toEqual({ text: "hello from peer" });
    expect(report.answers["import-only"]).toEqual({ text: "hello from import-only" });
    expect(report.answers["sealed"]).toEqual({ text: "hello from sealed" });
    expect(report.answers["echo"]?.text).toContain("hello");
  });

  test("a discovered plugin is the module that the application itself would import", () => {
    expect(report.sameModule).toEqual({
      "fixture-plain": true,
      "fixture-peer": true,
      "fixture-import-only": true,
    });
  });

  test("a plugin that throws, hangs or is none is told by name, and stops no other", () => {
    expect(report.answers["throws"]).toMatchObject({
      code: "plugin-load-failed",
      message: expect.stringContaining("fixture-throws@1.0.0 could not be imported: no licence file"),
    });
    expect(report.answers["hangs"]).toMatchObject({
      code: "plugin-load-failed",
      message: expect.stringContaining("fixture-hangs@1.0.0 was not imported within 1.5 s"),
    });
    expect(report.answers["not-a-plugin"]).toMatchObject({
      code: "plugin-invalid",
      message: expect.stringContaining("fixture-not-a-plugin@1.0.0"),
    });
    expect(report.answers["liar"]).toMatchObject({
      code: "plugin-invalid",
      message: expect.stringMatching(/fixture-liar@1\.0\.0.*"liar".*"somebody-else"/),
    });
    for (const name of ["throws", "hangs", "not-a-plugin", "liar"]) {
      expect(rowsOf(`fixture-${name}`)).toMatchObject([{ status: "failed" }]);
    }
  });

  test.each([
    ["fixture-word", "llmProvider: Invalid input: expected object, received string"],
    [
      "fixture-faulty",
      "llmProvider.id: write lower-case letters, digits, dots and dashes; llmProvider.operations: ",
    ],
    [
      "fixture-escapes",
      'llmProvider.entry: "../fixture-plain/index.js" is no relative path within the package',
    ],
    ["fixture-unbuilt", 'llmProvider.entry: "./dist/index.js" cannot be opened (it does not exist)'],
  ])("the faults of %s's manifest are told", (name, fault) => {
    expect(rowsOf(name)).toMatchObject([
      {
        packageVersion: "1.0.0",
        status: "refused",
        code: "plugin-invalid",
        message: expect.stringContaining(`the package.json of ${name}@1.0.0 is at fault: ${fault}`),
        hint: expect.stringContaining(`\`${layout.addCommand} ${name}@latest\``),
      },
    ]);
  });

  test("a plugin of another contract is refused with both versions and the command", () => {
    expect(rowsOf("fixture-future")).toMatchObject([
      {
        status: "refused",
        code: "plugin-incompatible",
        message: "fixture-future@1.0.0 speaks contract 9, this host speaks 1",
        hint: expect.stringContaining(`\`${layout.addCommand} @enginehouse/llm-core@latest\``),
      },
    ]);
  });

  test("two packages with one id are both refused, and both named", () => {
    for (const name of ["fixture-twin-a", "fixture-twin-b"]) {
      expect(rowsOf(name)).toMatchObject([
        {
          status: "refused",
          code: "plugin-duplicate",
          message: expect.stringContaining("fixture-twin-a@1.0.0 and fixture-twin-b@1.0.0"),
        },
      ]);
    }
  });

  test("a model package gives the models that are there and names those that are not", () => {
    expect(report.models).toMatchObject([{ id: "tiny", bytes: 4, packageName: "fixture-weights" }]);
    expect(rowsOf("fixture-weights")).toMatchObject([
      { status: "used", message: "fixture-weights@1.0.0 gives models: tiny (gguf)" },
      {
        status: "refused",
        message: expect.stringContaining('llmModels.1.path: "./lost.gguf" cannot be opened'),
      },
    ]);
  });

  test("the application works as one bundle with nothing installed beside it", async () => {
    const refused = report.diagnostics.filter(({ status }) => status === "refused");
    const denied = [...new Set(refused.map(({ packageName }) => packageName))].flatMap((name) => [
      "--deny",
      name,
    ]);
    await application.exec("enginehouse-plugins", "--out", "plugins.mjs", ...denied);
    const elsewhere = join(root, `${layout.name}, bundled`);
    await build({
      absWorkingDir: folder(),
      entryPoints: ["bundled.mjs"],
      outfile: join(elsewhere, "bundle.mjs"),
      bundle: true,
      format: "esm",
      platform: "node",
    });
    const output = await run([...commands.node, "bundle.mjs"], { cwd: elsewhere, env });
    const bundled = JSON.parse(output) as Pick<Report, "listed" | "answers">;
    expect(bundled.listed).toEqual(report.listed);
    expect(bundled.answers["sealed"]).toEqual({ text: "hello from sealed" });
    expect(bundled.answers["echo"]).toEqual(report.answers["echo"]);
    expect(bundled.answers["throws"]).toEqual(report.answers["throws"]);
  });

  test("what is no plugin, or optional and not for this machine, is ignored with a word", () => {
    expect(rowsOf("fixture-library")).toMatchObject([{ status: "ignored" }]);
    expect(rowsOf("@enginehouse/llm-core")).toMatchObject([{ status: "ignored" }]);
    expect(rowsOf("fixture-elsewhere")).toMatchObject([
      { status: "ignored", message: "fixture-elsewhere is an optional dependency and not installed" },
    ]);
    expect(rowsOf("fixture-transitive")).toEqual([]);
  });
});
