import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Scenario } from "@enginehouse/llm-conformance";
import { openaiFake } from "@enginehouse/llm-conformance/fakes";
import { afterAll, beforeAll, expect, test } from "vitest";

import { addText, type Deployed, getJson, type Running } from "./deployed.ts";
import { deployWithProviders, playing, QUESTION, REPLY, serving, TEXT } from "./serving.ts";
import { askStreamed } from "./streamed.ts";

const KEY = "sk-acceptance-4f1c9a7be2d05c";

interface Description {
  readonly paths: Readonly<
    Record<string, { readonly get?: { readonly responses: Readonly<Record<string, Reply>> } }>
  >;
}

interface Reply {
  readonly content?: Readonly<Record<string, unknown>>;
}

let app: Deployed;
beforeAll(async () => {
  app = await deployWithProviders();
});
afterAll(() => app?.remove());

const inStream = { steps: [{ text: "The harbour " }, { error: `the key ${KEY} is used up` }] };
const refusal = { status: 401, message: `Incorrect API key: ${KEY}` };
/** What the backend does, its scenario, and words that are shown. */
const CASES: readonly (readonly [string, Scenario, string])[] = [
  ["answers", { key: KEY, chats: [REPLY] }, "Ottoline Farrow"],
  ["breaks off with the key in its error", { key: KEY, chats: [inStream] }, "is used up"],
  ["refuses, and repeats the key", { refusesAll: refusal }, "Incorrect API key"],
];

test.each(CASES)(
  "a key of the environment is sent to its backend and shown nowhere, when that %s",
  (_, scenario, shown) =>
    playing(openaiFake, scenario, async ({ address, models, seen }) => {
      const settings = { baseUrl: `${address}/v1`, apiKey: "{env:LAB_KEY}" };
      const config = { providers: { lab: { plugin: "openai", settings } }, chat: [`lab/${models.chat}`] };
      await serving(app, { config, env: { LAB_KEY: KEY } }, async (service) => {
        await addText(service.url, "saltwick.txt", TEXT);
        const { wire } = await askStreamed(service.url, QUESTION);
        const probe = await fetch(`${service.url}/api/v1/providers/lab/probe`, { method: "POST" });
        const told = [
          wire,
          await probe.text(),
          ...(await allAnswers(service)),
          ...(await allFiles(service)),
          service.output(),
        ];
        expect(told.join("\n")).toContain(shown);
        expect(told.filter((text) => text.includes(KEY))).toEqual([]);
      });
      expect(seen.requests.map(({ headers }) => headers["authorization"])).toContain(`Bearer ${KEY}`);
    }),
);

/** Whatever can be asked without a name, as the service describes itself, and every run. */
async function allAnswers({ url }: Running): Promise<readonly string[]> {
  const { paths } = await getJson<Description>(`${url}/openapi.json`);
  const open = Object.entries(paths).filter(
    ([path, { get }]) => get !== undefined && !path.includes("{") && !isStream(get.responses["200"]),
  );
  const { runs } = await getJson<{ runs: readonly { runId: string }[] }>(`${url}/api/v1/runs`);
  const asked = [...open.map(([path]) => path), ...runs.map(({ runId }) => `/api/v1/runs/${runId}`)];
  expect(asked).toEqual(expect.arrayContaining(["/api/v1/providers", "/api/v1/models", "/api/v1/jobs"]));
  expect(runs).toHaveLength(1);
  return Promise.all(asked.map(async (path) => (await fetch(`${url}${path}`)).text()));
}

const isStream = (reply: Reply | undefined): boolean => "text/event-stream" in (reply?.content ?? {});

/** What it keeps on the disk. */
async function allFiles({ data }: Running): Promise<readonly string[]> {
  const entries = await readdir(data, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Promise.all(files.map(({ parentPath, name }) => readFile(join(parentPath, name), "latin1")));
}
