import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const ENTRY = new URL("../src/index.ts", import.meta.url).href;
const SCRIPT = `
  import { registerHooks } from "node:module";
  const seen = [];
  registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
  const { createOpenai } = await import(${JSON.stringify(ENTRY)});
  createOpenai({ apiKey: "k" });
  console.log(JSON.stringify(seen));
`;

test("importing the plugin and creating a provider load nothing heavy", async () => {
  const flags = ["--conditions=@enginehouse/source", "--input-type=module", "--eval", SCRIPT];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags);
  const seen = JSON.parse(stdout) as string[];
  expect(seen).toContain("@enginehouse/llm-core");
  for (const heavy of [
    "openai",
    "zod",
    "node:http",
    "@enginehouse/llm-wire",
    "@enginehouse/llm-openai-dialect",
  ])
    expect(seen).not.toContain(heavy);
  expect(seen.filter((name) => /presets|encode|decode|models/.test(name) && name.startsWith("./"))).toEqual(
    [],
  );
  expect(stderr).toBe("");
});
