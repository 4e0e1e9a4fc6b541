import { mkdir, mkdtemp, readdir, readFile, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { publishClosure, publishTools } from "./closure.ts";
import { type Commands, createEnvironment, findCommands, run } from "./commands.ts";
import { publishHouse } from "./publish.ts";
import { type Registry, startRegistry } from "./registry.ts";

const HOUSE = ["llm-core", "llm-wire", "llm-conformance", "create-llm-provider"];
const TOOLS = ["typescript", "vitest", "@types/node", "zod"];

let root: string;
let registry: Registry;
let commands: Commands;
let env: NodeJS.ProcessEnv;
let created: string;
let said: string;

const npm = (args: readonly string[], cwd = created): Promise<string> =>
  run([...commands.npm, ...args], { cwd, env, timeoutMs: 240_000 });

beforeAll(async () => {
  root = await realpath(await mkdtemp(join(tmpdir(), "scaffold-")));
  const home = join(root, "home");
  await mkdir(home);
  env = createEnvironment(home);
  commands = await findCommands();
  registry = await startRegistry(root, env);
  await writeFile(
    join(home, "npmrc"),
    `registry=${registry.url}\n${registry.url.replace("http:", "")}:_authToken=none\naudit=false\nfund=false\n`,
  );
  const folders = await publishHouse(HOUSE, { pnpm: commands.pnpm, env, folder: root });
  const done = new Set<string>();
  const closing = { registryUrl: registry.url, folder: root };
  for (const folder of folders) await publishClosure(folder, done, closing);
  await publishTools(folders.at(-1) ?? "", TOOLS, done, closing);
  created = join(root, "llm-provider-acme");
  said = await npm(["create", "--yes", "@enginehouse/llm-provider", "acme"], root);
  await npm(["install"]);
}, 300_000);

afterAll(async () => {
  await registry?.stop();
  await rm(root, { recursive: true, force: true, maxRetries: 3 });
});

describe("npm create @enginehouse/llm-provider acme", () => {
  test("says what to do next", () => {
    expect(said).toMatch(/llm-provider-acme: \d+ files[\s\S]*npm install[\s\S]*npm test/);
  });

  test("gives a package whose own tests are green from the first minute", async () => {
    const output = await npm(["test"]);
    expect(output).toMatch(/Tests +.*\d+ passed/);
    expect(output).not.toMatch(/\d+ failed/);
  }, 240_000);

  test("whose conformance report is green, with nothing but checks that ran counted as passed", async () => {
    const report = join(root, "report.json");
    await npm(["exec", "--", "llm-conformance", "run", "conformance.subject.ts", "--json", report]);
    const { totals } = JSON.parse(await readFile(report, "utf8")) as { totals: Record<string, number> };
    expect(totals["failed"]).toBe(0);
    expect(totals["passed"]).toBeGreaterThan(80);
  }, 240_000);

  test("that packs what an application needs and no more", async () => {
    const [packed] = JSON.parse(await npm(["pack", "--json", "--ignore-scripts"])) as {
      files: { path: string }[];
    }[];
    const files = packed?.files.map(({ path }) => path) ?? [];
    expect(files).toEqual(
      expect.arrayContaining([
        "dist/index.js",
        "dist/index.d.ts",
        "dist/settings.schema.json",
        "package.json",
      ]),
    );
    expect(files.filter((path) => /^(?:test|src|node_modules|conformance)/.test(path))).toEqual([]);
    expect(await readdir(created)).toContain("llm-provider-acme-0.1.0.tgz");
  });

  test("that tells which promise was broken, what was seen, and the likely cause", async () => {
    const decode = join(created, "src/decode.ts");
    const whole = await readFile(decode, "utf8");
    await writeFile(decode, whole.replace("if (ended) return [];", "if (made >= 0) return [];"));
    try {
      const failed = await npm(["run", "conformance", "--", "--only", "F16"]).catch((error: Error) => error);
      expect(failed).toBeInstanceOf(Error);
      const { message } = failed as Error;
      expect(message).toMatch(/F16/);
      expect(message).toMatch(/stream-interrupted/);
    } finally {
      await writeFile(decode, whole);
    }
  }, 120_000);
});
