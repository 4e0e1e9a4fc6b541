import { execFile } from "node:child_process";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import type { Subject } from "@enginehouse/llm-conformance";
import { testProvider } from "@enginehouse/llm-conformance/vitest";
import { afterAll } from "vitest";

import { createProviderPackage } from "../src/create.ts";

const NEEDED = [
  "@enginehouse/llm-core",
  "@enginehouse/llm-wire",
  "@enginehouse/llm-conformance",
  "@types/node",
  "typescript",
  "vitest",
  "zod",
];

/** Written and built as its author does it, in a folder from which the workspace's packages are found. */
async function buildTemplate(folder: string): Promise<Subject> {
  const versions = Object.fromEntries(NEEDED.map((name) => [name, "*"]));
  await createProviderPackage({ name: "acme", folder, versions });
  const run = promisify(execFile);
  const { resolve } = createRequire(import.meta.url);
  const tsc = fileURLToPath(new URL("bin/tsc", pathToFileURL(resolve("typescript/package.json"))));
  await run(process.execPath, [tsc, "-p", "tsconfig.build.json"], { cwd: folder });
  await run(process.execPath, ["settings-schema.mjs"], { cwd: folder });
  const module = (await import(pathToFileURL(join(folder, "conformance.subject.ts")).href)) as {
    default: Subject;
  };
  return module.default;
}

const scratch = fileURLToPath(new URL("../.turbo/", import.meta.url));
await mkdir(scratch, { recursive: true });
const folder = await mkdtemp(join(scratch, "template-"));
afterAll(() => rm(folder, { recursive: true, force: true }));

testProvider(await buildTemplate(folder));
