import { execFile } from "node:child_process";
import { promisify } from "node:util";

import { expect, test } from "vitest";

const ENTRY = new URL("../src/index.ts", import.meta.url).href;
const SCRIPT = `
  import { registerHooks } from "node:module";
  const seen = [];
  registerHooks({ resolve(name, context, next) { seen.push(name); return next(name, context); } });
  const env = [];
  process.env = new Proxy(process.env, { get: (all, key) => (env.push(key), all[key]) });
  const { createOllama } = await import(${JSON.stringify(ENTRY)});
  createOllama({ baseUrl: "http://127.0.0.1:9" });
  console.log(JSON.stringify({ seen, env: env.filter((key) => String(key).startsWith("OLLAMA")) }));
`;

test("importing the plugin and creating a provider load nothing heavy and read no environment", async () => {
  const flags = ["--conditions=@enginehouse/source", "--input-type=module", "--eval", SCRIPT];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags);
  const { seen, env } = JSON.parse(stdout) as { seen: string[]; env: string[] };
  expect(seen).toContain("@enginehouse/llm-core");
  expect(seen.filter((name) => name.startsWith("node:"))).toEqual([]);
  for (const heavy of ["ollama", "zod", "@enginehouse/llm-wire"]) expect(seen).not.toContain(heavy);
  expect(seen.filter((name) => /(?:encode|decode|models|run-create)\.ts$/.test(name))).toEqual([]);
  expect(env).toEqual([]);
  expect(stderr).toBe("");
});
