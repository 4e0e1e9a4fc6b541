import { readFile } from "node:fs/promises";
import { join } from "node:path";

import type { Backend } from "@enginehouse/llm-conformance";
import { ollamaFake, openaiFake } from "@enginehouse/llm-conformance/fakes";
import { findModel } from "@enginehouse/vitest-preset/live";
import { startLlama } from "@enginehouse/vitest-preset/llama-server";
import { afterAll, beforeAll, expect, test } from "vitest";

import { addText, type Deployed, getJson } from "./deployed.ts";
import { deployWithProviders, expectAnswerFrom, playing, QUESTION, REPLY, serving, TEXT } from "./serving.ts";
import { askStreamed } from "./streamed.ts";

const SMOL = findModel("SmolLM2-135M-Instruct.Q4_1.gguf");
const KEY = "key-of-the-lab";
const SENTENCE = "The harbour master is called Ottoline Farrow.";

/** A provider under a name of the user's own, whose key is not in the file. */
const lab = (baseUrl: string, settings: object = {}): object => ({
  lab: { plugin: "openai", settings: { baseUrl, apiKey: "{env:LAB_KEY}", ...settings } },
});

let app: Deployed;
beforeAll(async () => {
  app = await deployWithProviders();
});
afterAll(() => app?.remove());

test("the service finds the installed providers, and none of its own files names them", async () => {
  const server = await readFile(join(app.folder, "dist/server.js"), "utf8");
  expect(server).not.toMatch(/llm-provider-(?:ollama|openai)|["'`]openai["'`]/);
  const { providers } = await serving(app, {}, ({ url }) =>
    getJson<{ providers: readonly { package: string }[] }>(`${url}/api/v1/providers`),
  );
  expect(providers.map((provider) => provider.package)).toEqual(
    expect.arrayContaining(["@enginehouse/llm-provider-ollama", "@enginehouse/llm-provider-openai"]),
  );
});

test("the service answers through openai from a real llama-server with SmolLM2", async (context) => {
  const flags = ["-c", "4096", "-np", "1", "--jinja", "--alias", "SmolLM2", "--api-key", KEY];
  const llama = await startLlama(context, SMOL, flags);
  try {
    const config = { providers: lab(llama.address, { preset: "llama-server" }), chat: ["lab/SmolLM2"] };
    await serving(app, { config, env: { LAB_KEY: KEY } }, async ({ url }) => {
      await addText(url, "saltwick.txt", TEXT);
      const answer = await askStreamed(url, QUESTION);
      expectAnswerFrom(answer, "lab", "SmolLM2");
      expect(answer.run.citations.map(({ quote }) => quote)).toContain(SENTENCE);
      expect(answer.run.context?.window).toBe(4096);
    });
  } finally {
    await llama.stop();
  }
});

test("the service answers and embeds through openai (protocol contract test: a fake speaks the wire)", () =>
  playing(openaiFake, { key: KEY, chats: [REPLY] }, async ({ address, models, seen }) => {
    const config = {
      providers: lab(`${address}/v1`),
      chat: [`lab/${models.chat}`],
      embedding: `lab/${models.embedding}`,
    };
    await serving(app, { config, env: { LAB_KEY: KEY } }, async ({ url }) => {
      await addText(url, "saltwick.txt", TEXT);
      const answer = await askStreamed(url, QUESTION);
      expectAnswerFrom(answer, "lab", models.chat);
      expect(answer.run.citations[0]?.quote).toBe(SENTENCE);
    });
    expectAsked(seen, models);
  }));

test("the service answers and embeds through ollama (protocol contract test: a fake speaks the wire)", () =>
  playing(ollamaFake, { chats: [REPLY] }, async ({ address, models, seen }) => {
    const config = {
      providers: { ollama: { settings: { baseUrl: address } } },
      chat: [`ollama/${models.chat}`],
      embedding: `ollama/${models.embedding}`,
    };
    await serving(app, { config }, async ({ url }) => {
      await addText(url, "saltwick.txt", TEXT);
      const answer = await askStreamed(url, QUESTION);
      expectAnswerFrom(answer, "ollama", models.chat);
      expect(answer.run.citations[0]?.quote).toBe(SENTENCE);
    });
    expectAsked(seen, models);
  }));

/** One question with the passage in it, and vectors of the document and of the question from the model for them. */
function expectAsked({ requests }: Backend["seen"], models: Backend["models"]): void {
  const chats = requests.filter(({ operation }) => operation === "chat");
  expect(chats.map(({ asked }) => asked.model)).toEqual([models.chat]);
  expect(JSON.stringify(chats[0]?.asked.messages)).toContain(SENTENCE);
  const embeds = requests.filter(({ operation }) => operation === "embed");
  expect(new Set(embeds.map(({ asked }) => asked.model))).toEqual(new Set([models.embedding]));
  const texts = embeds.flatMap(({ asked }) => asked.texts ?? []);
  expect(texts.join("\n")).toContain(SENTENCE);
  expect(texts).toContain(QUESTION);
}
