import type { Backend, ChatScript, FakeBackend, Scenario } from "@enginehouse/llm-conformance";
import { expect } from "vitest";

import { deploy, type Deployed, type Running, type Setting, start } from "./deployed.ts";
import { installProvider } from "./provider-package.ts";
import { type Run, type Streamed, wordsOf } from "./streamed.ts";

export const TEXT =
  "Saltwick is a harbour. The harbour master is called Ottoline Farrow. She keeps the tide tables in a red book.";
export const QUESTION = "What is the harbour master called?";
/** What a model that reads its sources would write, in pieces. */
export const REPLY: ChatScript = {
  steps: ["The harbour master ", "is called ", "Ottoline Farrow. [1]"].map((text) => ({ text })),
};

/** The service, and beside it two providers that it has never heard of. */
export async function deployWithProviders(): Promise<Deployed> {
  const app = await deploy();
  try {
    await installProvider(app, "@enginehouse/llm-provider-ollama");
    await installProvider(app, "@enginehouse/llm-provider-openai");
    return app;
  } catch (error) {
    await app.remove();
    throw error;
  }
}

/** Runs the service with this setting, and ends it whatever happens. */
export async function serving<Result>(
  app: Deployed,
  setting: Setting,
  use: (service: Running) => Promise<Result>,
): Promise<Result> {
  const service = await start(app, setting);
  try {
    return await use(service);
  } finally {
    await service.stop();
  }
}

/** Plays the scenario on the wire of a backend, and ends it whatever happens. */
export async function playing<Result>(
  fake: FakeBackend,
  scenario: Scenario,
  use: (backend: Backend) => Promise<Result>,
): Promise<Result> {
  const backend = await fake.start(scenario);
  try {
    return await use(backend);
  } finally {
    await backend.close();
  }
}

/** Who answered, as every place of the answer tells it, and quotes that stand in the document where they say. */
export function expectAnswerFrom(answer: Streamed, providerId: string, model: string): void {
  const { run, events, last } = answer;
  expect(last.type).toBe("run.completed");
  expect(run.mode).toBe("generate");
  expect(run.attempts).toMatchObject([{ providerId, model, demonstration: false, status: "answered" }]);
  expect(run.model).toMatchObject({ ref: `${providerId}/${model}`, demonstration: false });
  expect(events.find(({ type }) => type === "metrics")).toMatchObject({ providerId, model });
  expect(wordsOf(answer).length).toBeGreaterThan(1);
  expect(wordsOf(answer).join("")).toBe(run.answer);
  expectTrueQuotes(run);
}

export function expectTrueQuotes({ citations, quotes }: Run): void {
  expect(quotes.length).toBeGreaterThan(0);
  for (const { quote, charStart, charEnd } of [...citations, ...quotes])
    expect(TEXT.slice(charStart, charEnd)).toBe(quote);
}
