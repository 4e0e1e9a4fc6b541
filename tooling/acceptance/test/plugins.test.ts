import { afterAll, beforeAll, expect, test } from "vitest";

import { addText, type Answer, deploy, type Deployed, getJson, postJson, start } from "./deployed.ts";
import { installThirdParty } from "./third-party.ts";

interface Providers {
  readonly providers: readonly {
    readonly id: string;
    readonly health?: { readonly status: string; readonly version?: string };
  }[];
  readonly diagnostics: readonly { readonly package: string; readonly status: string }[];
}

const TEXT =
  "Saltwick is a harbour. The harbour master is called Ottoline Farrow. She keeps the tide tables in a red book.";
const ask = { question: "What is the harbour master called?", stream: false };
const LLAMACPP = "@enginehouse/llm-provider-llamacpp";

let app: Deployed;

beforeAll(async () => {
  app = await deploy();
});
afterAll(() => app.remove());

test("the service answers through a provider that it discovered, with the bundled model", async () => {
  const service = await start(app);
  try {
    const { providers } = await getJson<Providers>(`${service.url}/api/v1/providers`);
    expect(providers.map((provider) => provider.id)).toEqual(["llamacpp"]);
    await addText(service.url, "saltwick.txt", TEXT);
    const answer = await postJson<Answer>(`${service.url}/api/v1/answer`, ask);
    expect(answer.mode).toBe("generate");
    expect(answer.attempts).toMatchObject([{ providerId: "llamacpp", demonstration: true }]);
    expect(answer.answer.length).toBeGreaterThan(0);
    for (const { quote, charStart, charEnd } of answer.citations)
      expect(TEXT.slice(charStart, charEnd)).toBe(quote);
  } finally {
    await service.stop();
  }
});

test("a provider that is removed from package.json vanishes, and the service says that it only quotes", async () => {
  await app.depend({ [LLAMACPP]: undefined });
  const service = await start(app);
  try {
    const { providers, diagnostics } = await getJson<Providers>(`${service.url}/api/v1/providers`);
    expect(providers).toEqual([]);
    expect(diagnostics.map((row) => row.package)).not.toContain(LLAMACPP);
    await addText(service.url, "saltwick.txt", TEXT);
    const answer = await postJson<Answer>(`${service.url}/api/v1/answer`, ask);
    expect(answer.mode).toBe("quote");
    expect(JSON.stringify(answer.citations)).toContain("Ottoline Farrow");
    expect(answer.notices?.length).toBeGreaterThan(0);
  } finally {
    await service.stop();
  }
});

test("a stranger's provider that is added to package.json appears and answers, before the toy", async () => {
  const name = await installThirdParty(app.folder);
  await app.depend({ [LLAMACPP]: "*", [name]: "3.2.1" });
  const service = await start(app);
  try {
    const { providers } = await getJson<Providers>(`${service.url}/api/v1/providers`);
    expect(providers.map((provider) => provider.id).toSorted()).toEqual(["acme", "llamacpp"]);
    expect(providers.find((provider) => provider.id === "acme")?.health).toMatchObject({
      status: "ok",
      version: "9.9",
    });
    await addText(service.url, "saltwick.txt", TEXT);
    const answer = await postJson<Answer>(`${service.url}/api/v1/answer`, ask);
    expect(answer.attempts).toMatchObject([{ providerId: "acme", model: "anvil" }]);
    expect(answer.citations[0]?.quote).toBe("The harbour master is called Ottoline Farrow.");
  } finally {
    await service.stop();
  }
});
