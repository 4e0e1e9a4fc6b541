import type { Backend, ChatScript } from "@enginehouse/llm-conformance";
import { ollamaFake } from "@enginehouse/llm-conformance/fakes";
import { afterAll, beforeAll, expect, test } from "vitest";

import { addText, type Deployed, getJson } from "./deployed.ts";
import {
  deployWithProviders,
  expectAnswerFrom,
  expectTrueQuotes,
  playing,
  QUESTION,
  REPLY,
  serving,
  TEXT,
} from "./serving.ts";
import { askStreamed } from "./streamed.ts";

interface Providers {
  readonly providers: readonly { readonly id: string; readonly health: object }[];
}

interface Models {
  readonly problems: readonly object[];
}

const LAMP = "The lamp of Cape Rook burns green.";
const HINT = expect.stringContaining("ollama serve");

let app: Deployed;
beforeAll(async () => {
  app = await deployWithProviders();
});
afterAll(() => app?.remove());

const configOf = ({ address, models }: Backend, deny: readonly string[] = []): object => ({
  providers: { ollama: { settings: { baseUrl: address } } },
  chat: [`ollama/${models.chat}`],
  embedding: `ollama/${models.embedding}`,
  deny,
});

test("when a backend goes down the next model answers, what to do is said, and nothing is lost until it is back", () =>
  playing(ollamaFake, { chats: [REPLY] }, (backend) =>
    serving(app, { config: configOf(backend) }, async ({ url }) => {
      await addText(url, "saltwick.txt", TEXT);
      expectAnswerFrom(await askStreamed(url, QUESTION), "ollama", backend.models.chat);

      await backend.close();
      const meanwhile = await askStreamed(url, QUESTION);
      expect(meanwhile.last.type).toBe("run.completed");
      expect(meanwhile.run.attempts.at(-1)).toMatchObject({ providerId: "llamacpp", status: "answered" });
      expect(JSON.stringify(meanwhile.run.quotes)).toContain("Ottoline Farrow");
      expectTrueQuotes(meanwhile.run);

      const { problems } = await getJson<Models>(`${url}/api/v1/models?refresh=true`);
      expect(problems).toContainEqual(
        expect.objectContaining({ providerId: "ollama", code: "unavailable", hint: HINT }),
      );
      const { providers } = await getJson<Providers>(`${url}/api/v1/providers`);
      expect(providers.find(({ id }) => id === "ollama")?.health).toMatchObject({
        status: "down",
        hint: HINT,
      });

      // Nobody makes its vectors now: it is found by its words.
      await addText(url, "lamp.txt", LAMP);
      const { run } = await askStreamed(url, "Which colour has the lamp of Cape Rook?");
      expect(run.retrievalMode).toBe("lexical");
      expect(run.quotes[0]?.quote).toBe(LAMP);

      const port = Number(new URL(backend.address).port);
      await playing(ollamaFake, { chats: [REPLY], port }, async ({ models, seen }) => {
        await getJson<Models>(`${url}/api/v1/models?refresh=true`);
        expectAnswerFrom(await askStreamed(url, QUESTION), "ollama", models.chat);
        const reindex = `${url}/api/v1/collections/default/reindex`;
        expect((await fetch(reindex, { method: "POST" })).status).toBe(202);
        const vectors = (): string => JSON.stringify(seen.requests.map(({ asked }) => asked.texts));
        await seen.until(() => vectors().includes(LAMP), "the lamp's text is embedded", 10_000);
      });
    }),
  ));

test("where no other model is there, the documents' own sentences are left, with a notice", async () => {
  const backend = await ollamaFake.start({ down: true });
  await serving(app, { config: configOf(backend, ["llamacpp"]) }, async ({ url }) => {
    await addText(url, "saltwick.txt", TEXT);
    const { run, last } = await askStreamed(url, QUESTION);
    expect(last.type).toBe("run.completed");
    expect(run).toMatchObject({ mode: "quote", attempts: [] });
    expect(run.notices).toMatchObject([
      { code: "no-model", hint: expect.stringContaining("why a backend is not reached") },
    ]);
    expect(JSON.stringify(run.citations)).toContain("Ottoline Farrow");
    expectTrueQuotes(run);
  });
});

test("a backend that dies in the middle of an answer leaves what it wrote, and the answer says why it ends", () => {
  const cut: ChatScript = { steps: [{ text: "The harbour master is called " }, { cut: "reset" }] };
  return playing(ollamaFake, { chats: [cut] }, (backend) =>
    serving(app, { config: configOf(backend) }, async ({ url }) => {
      await addText(url, "saltwick.txt", TEXT);
      const { run, last } = await askStreamed(url, QUESTION);
      expect(last.type).toBe("run.error");
      expect(run.error).toMatchObject({ code: "stream-interrupted" });
      expect(run.answer).toBe("The harbour master is called ");
      expectTrueQuotes(run);
    }),
  );
});
