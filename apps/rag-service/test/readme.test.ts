import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { promisify } from "node:util";

import { afterAll, beforeAll, expect, test } from "vitest";

import type { DocumentsAccepted } from "../src/api/schemas.ts";
import { serverUnderTest } from "./under-test.ts";

const run = promisify(execFile);
const readme = readFileSync(new URL("../README.md", import.meta.url), "utf8");
const [first = "", second = "", third = ""] = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map(
  ([, code = ""]) => code,
);

let server: Awaited<ReturnType<typeof serverUnderTest>>;
beforeAll(async () => {
  server = await serverUnderTest();
  await writeFile(
    `${server.settings.folder}/handbook.md`,
    "# Cape Morrow\n\nAda Lindqvist built the lighthouse in 1874.\n",
  );
});
afterAll(() => server.close());

async function shell(code: string, env: Record<string, string> = {}): Promise<string> {
  const options = { cwd: server.settings.folder, env: { ...process.env, URL: server.url, ...env } };
  return (await run("sh", ["-ec", code], options)).stdout;
}

test("the commands of the README do what it says", async () => {
  const [upload = "", events = "", ...ask] = first.split(/\n(?=curl)/);
  const { jobId = "" } = JSON.parse(await shell(upload)) as DocumentsAccepted;
  expect(await shell(events, { JOB: jobId })).toContain("event: job.completed");
  expect(await shell(ask.join("\n"))).toContain("event: run.completed");
  expect(JSON.parse(await shell(second))).toMatchObject({
    mode: "quote",
    answer: "Ada Lindqvist built the lighthouse in 1874. [1]",
  });
  const output = await shell(third);
  expect(output).toContain('"status":"queued"');
  expect(output).toContain('"hits":[{');
});

test("the README names every path of the API", async () => {
  const document = (await (await fetch(`${server.url}/openapi.json`)).json()) as {
    paths: Record<string, object>;
  };
  const table = readme.slice(readme.indexOf("## Endpoints"), readme.indexOf("## An answer"));
  for (const path of Object.keys(document.paths)) {
    const tail =
      path
        .split("/")
        .filter((part) => !/^(?:api|v1|\{.*\})$/.test(part))
        .at(-1) ?? "";
    expect(table).toContain(tail);
  }
});
