import { readFile } from "node:fs/promises";

import { LlmError } from "@enginehouse/llm-core";
import { afterEach, expect, test } from "vitest";

import type { Run, RunEvent } from "../src/api/schemas.ts";
import { createDouble, endless, failing as breaking, words, type DoubleModel } from "./double.ts";
import { addText, json, readEvents, serviceUnderTest, type UnderTest } from "./under-test.ts";

const HANDBOOK =
  "# Cape Morrow\n\nThe lighthouse at Cape Morrow was built in 1874 by Ada Lindqvist. " +
  "Its lamp burned colza oil until 1911.\n\nVisitors may climb the 142 steps on Sundays.\n";
const QUESTION = "Who built the lighthouse at Cape Morrow?";
const GOOD = ["The lighthouse at Cape Morrow ", "was built in 1874 ", "by Ada Lindqvist."];

const open: UnderTest[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map((one) => one.close()));
});

async function house(models: readonly DoubleModel[], text: string | undefined = HANDBOOK) {
  const double = createDouble("house", models);
  const app = await serviceUnderTest({ plugins: [double] });
  open.push(app);
  if (text !== "") await addText(app.service, "handbook.md", text);
  const ask = async (request: object) => {
    const response = await app.request("/api/v1/answer", json("POST", { question: QUESTION, ...request }));
    expect(response.status).toBe(200);
    return (await readEvents(response)).map(({ event }) => event);
  };
  const answer = async (request: object = {}) => {
    const body = json("POST", { question: QUESTION, stream: false, ...request });
    return (await (await app.request("/api/v1/answer", body)).json()) as Run;
  };
  return { app, double, ask, answer };
}

function typesOf(events: readonly RunEvent[]): string[] {
  return events.map(({ type }) => type).filter((type, index, all) => type !== all[index - 1]);
}

test("an answer comes as its events: quotes first, then the words, each sentence with what supports it", async () => {
  const { ask } = await house([{ id: "steady", speak: words(...GOOD) }]);
  const events = await ask({});
  expect(typesOf(events)).toEqual([
    "run.started",
    "retrieval.completed",
    "attempt.started",
    "context.budget",
    "text.delta",
    "sentence",
    "citation",
    "usage",
    "metrics",
    "run.completed",
  ]);
  const retrieval = events.find((event) => event.type === "retrieval.completed");
  expect(retrieval?.quotes[0]?.quote).toBe(
    "The lighthouse at Cape Morrow was built in 1874 by Ada Lindqvist.",
  );
  const citation = events.find((event) => event.type === "citation")?.citation;
  expect(HANDBOOK.slice(citation?.charStart, citation?.charEnd)).toBe(citation?.quote);
  expect(citation?.quote).toContain("Ada Lindqvist");
  const last = events.at(-1);
  expect(last?.type === "run.completed" ? last.run : undefined).toMatchObject({
    status: "completed",
    mode: "generate",
    answer: GOOD.join(""),
    supportedShare: 1,
    finishReason: "stop",
    model: { providerId: "house", model: "steady", demonstration: false },
    usage: { outputTokens: 3 },
    attempts: [{ attempt: 1, status: "answered" }],
  });
});

test("what is cited from a PDF is told with its page", async () => {
  const said =
    "Together these two measures cut the use of water by 38 percent compared with the year before.";
  const { app, answer } = await house([{ id: "steady", speak: words(said) }], "");
  const pdf = await readFile(new URL("../examples/garden-report.pdf", import.meta.url));
  await app.service.ingestor.submit(pdf, { name: "garden-report.pdf" });
  await app.service.ingestor.idle();
  const run = await answer({ question: "By how much was the use of water cut?" });
  // The report's own text has its page breaks as rules: water comes after the first.
  expect(run.citations.map(({ page }) => page)).toEqual([2]);
  expect(run.citations[0]?.quote).toContain("38 percent");
  const quote = run.quotes.find((one) => one.quote.includes("38 percent"));
  expect(quote?.page).toBe(2);
});

test("the JSON answer is the same run", async () => {
  const { app, answer } = await house([{ id: "steady", speak: words(...GOOD) }]);
  const run = await answer();
  expect(run).toMatchObject({ status: "completed", answer: GOOD.join("") });
  expect(await (await app.request(`/api/v1/runs/${run.runId}`)).json()).toEqual(run);
});

test("in quote mode no model is asked and the best sentence stands first, verbatim", async () => {
  const { answer, double } = await house([{ id: "steady", speak: words(...GOOD) }]);
  const run = await answer({ mode: "quote" });
  expect(double.requests).toHaveLength(0);
  expect(run).toMatchObject({ mode: "quote", status: "completed" });
  expect(run).not.toHaveProperty("model");
  expect(run.answer).toContain("built in 1874 by Ada Lindqvist. [1]");
  expect(run.citations[0]).toMatchObject({ n: 1, answerStart: 0 });
});

test("without a model that can chat the best sentences answer, and it is said", async () => {
  const { answer } = await house([]);
  const run = await answer();
  expect(run).toMatchObject({ status: "completed", mode: "quote", notices: [{ code: "no-model" }] });
  expect(run.answer).toContain("Ada Lindqvist");
  expect(await answer({ mode: "generate" })).toMatchObject({ status: 409, code: "no-model" });
});

test("a model that fails before its first word is followed by the next, and the attempt is told", async () => {
  const down = new LlmError("unavailable", "nobody listens", { hint: "Start it." });
  const { ask } = await house([
    { id: "down", speak: breaking(down) },
    { id: "steady", speak: words(...GOOD) },
  ]);
  const events = await ask({ model: "house/down", fallbacks: ["house/steady"] });
  const failed = events.find((event) => event.type === "attempt.failed");
  expect(failed).toMatchObject({
    attempt: 1,
    model: "down",
    error: { code: "unavailable", hint: "Start it." },
  });
  const last = events.at(-1);
  const run = last?.type === "run.completed" ? last.run : undefined;
  expect(run?.model?.model).toBe("steady");
  expect(run?.attempts.map(({ status }) => status)).toEqual(["failed", "answered"]);
});

test("an answer without a word counts as failed", async () => {
  const { answer } = await house([
    { id: "mute", speak: words() },
    { id: "steady", speak: words(...GOOD) },
  ]);
  const run = await answer({ model: "house/mute", fallbacks: ["house/steady"] });
  expect(run.attempts[0]).toMatchObject({ status: "failed", error: { code: "invalid-response" } });
  expect(run.answer).toBe(GOOD.join(""));
});

test("when all models fail before their first word the quotes answer, and why is said", async () => {
  const { answer, app } = await house([
    { id: "down", speak: breaking(new LlmError("unavailable", "nobody listens")) },
  ]);
  const run = await answer();
  expect(run).toMatchObject({ status: "completed", mode: "quote", notices: [{ code: "models-failed" }] });
  expect(run.notices[0]?.message).toContain("nobody listens");
  const failed = await answer({ mode: "generate" });
  expect(failed).toMatchObject({
    status: 503,
    code: "unavailable",
    runId: expect.stringMatching(/^run_/) as string,
  });
  const kept = (await (await app.request(`/api/v1/runs/${failed.runId}`)).json()) as Run;
  expect(kept).toMatchObject({ status: "failed", error: { code: "unavailable" } });
  expect(kept.quotes.length).toBeGreaterThan(0);
});

test("after the first word nobody takes over: what had come is kept with the error", async () => {
  const cut = new LlmError("stream-interrupted", "the engine died", { hint: "Ask again." });
  const { ask, double } = await house([
    { id: "breaks", speak: breaking(cut, "The lighthouse ", "was built ") },
    { id: "steady", speak: words(...GOOD) },
  ]);
  const events = await ask({ model: "house/breaks", fallbacks: ["house/steady"] });
  expect(double.requests).toHaveLength(1);
  const last = events.at(-1);
  expect(last).toMatchObject({
    type: "run.error",
    error: { code: "stream-interrupted", hint: "Ask again." },
  });
  expect(last?.type === "run.error" ? last.run : undefined).toMatchObject({
    status: "failed",
    answer: "The lighthouse was built ",
    model: { model: "breaks" },
    attempts: [{ status: "failed" }],
  });
});

test("a model for demonstration comes last, unless it is named", async () => {
  const models = [
    { id: "toy", demonstration: true, speak: words("Toy.") },
    { id: "steady", speak: words(...GOOD) },
  ];
  const { answer, app } = await house(models);
  expect((await answer()).model).toMatchObject({ model: "steady", demonstration: false });
  expect((await answer({ model: "house/toy" })).model).toMatchObject({ model: "toy", demonstration: true });
  await app.request("/api/v1/settings/active", json("PUT", { model: "house/toy" }));
  expect((await answer()).model).toMatchObject({ model: "toy" });
  await app.request("/api/v1/settings/active", json("PUT", { model: null }));
  expect((await answer()).model).toMatchObject({ model: "steady" });
});

test("a sentence that no document supports looks so, and an answer of nothing else says so", async () => {
  const { answer } = await house([
    { id: "liar", speak: words("Napoleon Bonaparte crossed 300 elephants in 1802.") },
  ]);
  const run = await answer();
  expect(run.sentences).toMatchObject([{ supported: false, citations: [] }]);
  expect(run.supportedShare).toBe(0);
  expect(run.notices).toMatchObject([{ code: "not-in-documents" }]);
});

test("an embedder that fails fails no answer: the search goes by words, and says so", async () => {
  const double = createDouble("house", [{ id: "steady", speak: words(...GOOD) }], {
    operations: ["embed"],
    methods: {
      listModels: async () => [
        { id: "steady", task: "chat" },
        { id: "vectors", task: "embedding" },
      ],
      embed: async ({ model, texts }) => {
        if (failing) throw new LlmError("unavailable", "the embedder is gone");
        const vectors = texts.map((text) => Float32Array.from([text.length, 1, 1, 1]));
        return { model, vectors, usage: { inputTokens: undefined } };
      },
    },
  });
  let failing = false;
  const app = await serviceUnderTest({ plugins: [double] });
  open.push(app);
  await addText(app.service, "handbook.md", HANDBOOK);
  failing = true;
  const events = await readEvents(await app.request("/api/v1/answer", json("POST", { question: QUESTION })));
  const retrieval = events.map(({ event }) => event).find((event) => event.type === "retrieval.completed");
  expect(retrieval).toMatchObject({ mode: "lexical" });
  expect(retrieval?.warnings.join()).toContain("the embedder is gone");
  expect(events.at(-1)?.event).toMatchObject({
    type: "run.completed",
    run: { answer: GOOD.join(""), supportedShare: 1 },
  });
});

test("where no passage fits no model is asked", async () => {
  const { answer, double } = await house([{ id: "steady", speak: words("Anything.") }]);
  const run = await answer({ question: "Zeppelin?" });
  expect(double.requests).toHaveLength(0);
  expect(run).toMatchObject({ status: "completed", answer: "", notices: [{ code: "not-in-documents" }] });
});

test("without documents the answer is to add some", async () => {
  const { answer } = await house([{ id: "steady", speak: words("Anything.") }], "");
  expect(await answer()).toMatchObject({ answer: "", notices: [{ code: "no-documents" }] });
});

test("the prompt keeps within the window, and says what did not fit", async () => {
  const paragraph = (name: string) =>
    `The ${name} lighthouse has a lamp. ${`The ${name} keeper winds the clock. `.repeat(40)}`;
  const text = ["north", "south", "east", "west"]
    .map((name) => `# ${name}\n\n${paragraph(name)}`)
    .join("\n\n");
  const { answer, double } = await house([{ id: "small", window: 900, speak: words("A lamp.") }], text);
  const { context } = await answer({ question: "Which lighthouse has a lamp?" });
  expect(context).toMatchObject({ window: 900, counted: "model", reserved: 300 });
  expect((context?.used ?? 0) + (context?.reserved ?? 0)).toBeLessThanOrEqual(900);
  expect(context?.sources.length).toBeGreaterThan(0);
  expect(context?.dropped.length).toBeGreaterThan(0);
  expect(context?.messages.map(({ text: sent }) => sent)).toEqual(
    double.requests[0]?.messages.map(({ content }) => content),
  );
});

test("where not one passage fits, its best sentences go", async () => {
  const text = `The north lighthouse has a lamp of brass. ${"The keeper winds the clock every evening at nine. ".repeat(30)}`;
  const { answer } = await house([{ id: "tiny", window: 200, speak: words("Brass.") }], text);
  const { context } = await answer({ question: "What is the lamp of the lighthouse made of?" });
  expect(context?.sources).toMatchObject([{ form: "sentences" }]);
  expect(context?.messages.at(-1)?.text).toContain("lamp of brass");
});

test("a question that leaves no room at all is an overflow, and the quotes answer", async () => {
  const { answer } = await house([{ id: "tiny", window: 60, speak: words("Brass.") }]);
  const run = await answer();
  expect(run.attempts).toMatchObject([{ status: "failed", error: { code: "context-overflow" } }]);
  expect(run.mode).toBe("quote");
});

test("a conversation remembers its turns, and a short question leans on the one before", async () => {
  const { answer, double } = await house([{ id: "steady", speak: words(...GOOD) }]);
  const { conversationId } = await answer();
  const next = await answer({ question: "And when?", conversationId });
  expect(next.conversationId).toBe(conversationId);
  expect(next.hits.length).toBeGreaterThan(0);
  expect(double.requests.at(-1)?.messages.map(({ role }) => role)).toEqual([
    "system",
    "user",
    "assistant",
    "user",
  ]);
});

test("an answer that is stopped keeps what had come", async () => {
  const { app, double } = await house([{ id: "endless", speak: endless() }]);
  const response = await app.request("/api/v1/answer", json("POST", { question: QUESTION, detach: true }));
  const runId = response.headers.get("x-run-id") ?? "";
  let seen = 0;
  const events = await readEvents(response, (event) => {
    if (event.type === "text.delta") seen += 1;
    if (seen === 3) void app.request(`/api/v1/runs/${runId}`, { method: "DELETE" });
    return false;
  });
  const last = events.at(-1)?.event;
  const run = last?.type === "run.cancelled" ? last.run : undefined;
  expect(run).toMatchObject({ status: "cancelled", attempts: [{ status: "cancelled" }] });
  expect(run?.answer).toContain("word0 word1 word2");
  expect(double.running()).toBe(0);
});

test("documents that are still being read are named, for they were not searched", async () => {
  const { app, answer } = await house([{ id: "steady", speak: words(...GOOD) }]);
  const long = "The lighthouse keeper winds the clock. ".repeat(50_000);
  await app.service.ingestor.submit(Buffer.from(long), { name: "long.txt" });
  const run = await answer({ mode: "quote" });
  expect(run.notices).toMatchObject([{ code: "still-indexing" }]);
});
