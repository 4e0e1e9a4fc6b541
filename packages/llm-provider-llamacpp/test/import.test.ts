import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const ENTRY = new URL("../src/index.ts", import.meta.url).href;
const SCRIPT = `
  import { registerHooks } from "node:module";
  const seen = [];
  registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
  const { createLlamacpp } = await import(${JSON.stringify(ENTRY)});
  createLlamacpp({ modelsDir: "/nowhere" });
  console.log(JSON.stringify(seen));
`;

test("importing the plugin and creating a provider load nothing heavy", async () => {
  const flags = ["--conditions=@enginehouse/source", "--input-type=module", "--eval", SCRIPT];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags);
  const seen = JSON.parse(stdout) as string[];
  expect(seen).toContain("@enginehouse/llm-core");
  for (const heavy of ["node-llama-cpp", "zod", "node:child_process", "node:fs", "@enginehouse/llm-wire"]) {
    expect(seen).not.toContain(heavy);
  }
  expect(seen.filter((name) => name.includes("/engine/") || name.endsWith("/models.ts"))).toEqual([]);
  expect(stderr).toBe("");
});
