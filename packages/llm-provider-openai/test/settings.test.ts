import { readFile } from "node:fs/promises";

import { expect, test } from "vitest";

import { PRESETS } from "../src/presets/presets.ts";
import { type OpenaiSettings, readConnection, settings } from "../src/settings.ts";

const KEYS = { OPENAI_API_KEY: "of-openai", GROQ_API_KEY: "of-groq" };

const leads = async (given: OpenaiSettings, env: NodeJS.ProcessEnv = {}): Promise<readonly unknown[]> => {
  const { baseUrl, apiKey } = await readConnection(given, env);
  return [baseUrl, apiKey];
};

test("an address leads there, with the path that nearly all servers have", async () => {
  expect(await leads({ baseUrl: "http://127.0.0.1:8080" })).toEqual(["http://127.0.0.1:8080/v1", undefined]);
  expect(await leads({ baseUrl: "http://127.0.0.1:8080/api/" })).toEqual([
    "http://127.0.0.1:8080/api/",
    undefined,
  ]);
  expect(await leads({ preset: "vllm" })).toEqual(["http://127.0.0.1:8000/v1", undefined]);
});

test("a key alone leads to OpenAI, and nothing at all to nobody", async () => {
  expect(await leads({ apiKey: "k" })).toEqual(["https://api.openai.com/v1", "k"]);
  expect(await leads({}, KEYS)).toEqual(["https://api.openai.com/v1", "of-openai"]);
  await expect(leads({})).rejects.toMatchObject({ code: "invalid-settings" });
  await expect(leads({}, { OPENAI_API_KEY: " ", OPENAI_BASE_URL: "" })).rejects.toMatchObject({
    code: "invalid-settings",
  });
});

test("a key of the environment goes to its own service and to nobody else", async () => {
  expect(await leads({ baseUrl: "http://gpu-box/v1" }, KEYS)).toEqual(["http://gpu-box/v1", undefined]);
  expect(await leads({ preset: "llama-server" }, KEYS)).toEqual(["http://127.0.0.1:8080/v1", undefined]);
  expect(await leads({ preset: "groq" }, KEYS)).toEqual(["https://api.groq.com/openai/v1", "of-groq"]);
  expect(await leads({ baseUrl: "https://api.groq.com/openai/v1" }, KEYS)).toEqual([
    "https://api.groq.com/openai/v1",
    "of-groq",
  ]);
  expect(await leads({ preset: "openai", baseUrl: "http://gpu-box/v1" }, KEYS)).toEqual([
    "http://gpu-box/v1",
    undefined,
  ]);
  const both = { ...KEYS, OPENAI_BASE_URL: "http://gpu-box/v1" };
  expect(await leads({}, both)).toEqual(["http://gpu-box/v1", "of-openai"]);
  expect(await leads({ preset: "vllm" }, both)).toEqual(["http://127.0.0.1:8000/v1", undefined]);
});

test.each(Object.entries(PRESETS).filter(([, preset]) => "needsKey" in preset))(
  "the service %s is not called without a key",
  async (preset, { hint }) => {
    await expect(leads({ preset: preset as keyof typeof PRESETS })).rejects.toMatchObject({
      code: "invalid-settings",
      hint,
    });
  },
);

test.each(Object.entries(PRESETS).filter(([, preset]) => !("needsKey" in preset)))(
  "the preset %s leads to this machine, without a key",
  async (preset, { address }) => {
    expect(await leads({ preset: preset as keyof typeof PRESETS }, KEYS)).toEqual([address, undefined]);
    expect(new URL(address).hostname).toBe("127.0.0.1");
  },
);

test.each([
  "gpu-box:8080",
  "127.0.0.1:8080/v1",
  "localhost:8080/v1",
  "gpu-box",
  "ftp://gpu-box/v1",
  "http://u:hunter2@a b",
])("%s in OPENAI_BASE_URL is no address, and the variable is named", async (address) => {
  const fault = await leads({}, { OPENAI_BASE_URL: address }).catch((error: unknown) => error);
  expect(fault).toMatchObject({
    code: "invalid-settings",
    message: expect.stringContaining("OPENAI_BASE_URL"),
    hint: expect.stringContaining("http://127.0.0.1:8080/v1"),
  });
  expect(JSON.stringify(fault)).not.toContain("hunter2");
});

test("a key of the environment is never sent in the open", async () => {
  const env = { OPENAI_API_KEY: "k" };
  const open = await readConnection({ baseUrl: "http://api.openai.com/v1" }, env);
  expect(open.apiKey).toBeUndefined();
});

test("quirks of the settings win over those of the preset", async () => {
  const { quirks } = await readConnection(
    { preset: "mistral", apiKey: "k", quirks: { embedBatch: 3, progress: undefined } },
    {},
  );
  expect(quirks).toMatchObject({ embedBatch: 3, seedField: "random_seed", progress: false });
});

test("wrong settings are refused by their place", async () => {
  const wrong: readonly [object, string][] = [
    [{ baseUrl: "gpu-box" }, "baseUrl"],
    [{ baseUrl: "ftp://x" }, "baseUrl"],
    [{ preset: "nobody" }, "preset"],
    [{ quirks: { embedBatch: 0 } }, "quirks.embedBatch"],
    [{ timeouts: { idle: -1 } }, "timeouts.idle"],
  ];
  for (const [given, place] of wrong) {
    const { issues = [] } = await settings["~standard"].validate(given);
    expect(issues.map(({ path = [] }) => path.map(String).join("."))).toEqual([place]);
  }
  const { issues = [] } = await settings["~standard"].validate({ keys: 1 });
  expect(issues[0]?.message).toContain("keys");
});

test("the README tells of every setting and every preset", async () => {
  const readme = await readFile(new URL("../README.md", import.meta.url), "utf8");
  const first = [...readme.matchAll(/^\| `([\w-]+)` /gm)].map(([, name]) => name);
  const known = [
    "baseUrl",
    "apiKey",
    "organization",
    "project",
    "headers",
    "preset",
    "api",
    "dimensions",
    "prefixes",
    "timeouts",
    "quirks",
  ];
  expect(first).toEqual([...known, ...Object.keys(PRESETS)]);
});
