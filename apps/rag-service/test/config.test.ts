/** Providers get their settings, and the service its order of models, from files that a user writes: never from source. */
import { mkdir, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

import type { ProviderManifest } from "@enginehouse/llm-core";
import echo from "@enginehouse/llm-provider-echo";
import { expect, onTestFinished, test } from "vitest";

import { toProblem } from "../src/api/problem.ts";
import type { ActiveSettings, ModelList, ProviderList, Run } from "../src/api/schemas.ts";
import { createApp } from "../src/app.ts";
import { openService } from "../src/service.ts";
import { readSettings } from "../src/settings.ts";
import { emptyFolder } from "./library.ts";
import { addText, json } from "./under-test.ts";

const ECHO: ProviderManifest = {
  contract: 1,
  id: "echo",
  entry: "./none.js",
  operations: ["chat", "embed", "count", "health", "list", "describe"],
  features: ["tools", "json-schema", "reasoning"],
  modelFormats: [],
};

/** A third party's plugin for a backend with an address and a key; it does not tell what its models are for. */
const ACORN = `
const settings = { "~standard": { version: 1, vendor: "acorn", validate: (value) => {
  const issues = ["baseUrl", "apiKey"].filter((key) => typeof value[key] !== "string").map((key) => ({ message: "expected a text", path: [key] }));
  return issues.length > 0 ? { issues } : { value };
} } };
const down = (name, cause) => Object.assign(new Error("nobody listens", { cause }), { hint: "start it with: acorn serve", [Symbol.for("enginehouse.llm-error")]: true, name: "LlmError", code: "unavailable", retryable: true, provider: name });
const create = ({ baseUrl, apiKey }, { name }) => {
  const ask = async (path) => {
    const reply = await fetch(baseUrl + path, { headers: { authorization: apiKey } }).catch((cause) => { throw down(name, cause); });
    return reply.json();
  };
  return {
    name,
    async *stream({ model }) {
      const { text } = await ask("/say");
      yield { type: "start", model, warnings: [] };
      yield { type: "text-start", id: "1" };
      yield { type: "text-delta", id: "1", text };
      yield { type: "text-end", id: "1" };
      yield { type: "finish", reason: { unified: "stop" }, usage: {}, context: { truncated: "unknown" } };
    },
    embed: async ({ texts }) => ({ vectors: texts.map(() => new Float32Array([1, 2, 3])), model: "nut", usage: {} }),
    listModels: async () => (await ask("/models")).map((id) => ({ id })),
    health: async () => ask("/models").then(() => ({ status: "ok" }), ({ message, hint }) => ({ status: "down", message, hint })),
    close: async () => {},
  };
};
const plugin = { id: "acorn", contract: 1, features: [], settings, create };
export default Object.defineProperty(plugin, Symbol.for("enginehouse.provider-plugin"), { value: true });
`;

async function backend(text: string): Promise<{ readonly url: string; readonly keys: string[] }> {
  const keys: string[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers.authorization ?? "");
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify(request.url === "/models" ? ["oak", "nut"] : { text }));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const address = server.address();
  if (typeof address !== "object" || address === null) throw new Error("no address");
  return { url: `http://127.0.0.1:${address.port}`, keys };
}

interface House {
  /** The user's own file in the data folder; left out: there is none. */
  readonly config?: unknown;
  /** The part of package.json. */
  readonly own?: object;
  readonly env?: Record<string, string>;
}

/** The settings of an application that has the acorn plugin installed. */
async function settingsOf({ config, own = {}, env = {} }: House) {
  const folder = await emptyFolder();
  const place = join(folder, "node_modules", "acorn-provider");
  await mkdir(place, { recursive: true });
  const llmProvider = {
    contract: 1,
    id: "acorn",
    entry: "./index.js",
    operations: ["chat", "embed", "list", "health"],
    features: [],
    modelFormats: [],
  };
  const manifest = { name: "acorn-provider", version: "1.0.0", type: "module", exports: "./index.js" };
  await writeFile(
    join(place, "package.json"),
    JSON.stringify({ ...manifest, keywords: ["llm-provider"], llmProvider }),
  );
  await writeFile(join(place, "index.js"), ACORN);
  const application = join(folder, "package.json");
  const dependencies = { "acorn-provider": "1.0.0" };
  await writeFile(application, JSON.stringify({ name: "application", dependencies, enginehouse: own }));
  const data = join(folder, "data");
  await mkdir(data);
  if (config !== undefined) {
    const text = typeof config === "string" ? config : JSON.stringify(config);
    await writeFile(join(data, "config.json"), text);
  }
  return readSettings({ ENGINEHOUSE_DATA_DIR: data, ...env }, application);
}

async function house(wanted: House) {
  const settings = await settingsOf(wanted);
  const service = await openService(settings, { plugins: [{ plugin: echo, manifest: ECHO }] });
  onTestFinished(() => service.close());
  const app = createApp(service);
  const request = async <Body>(path: string, init?: RequestInit): Promise<Body> =>
    (await (await app.request(`http://127.0.0.1${path}`, init)).json()) as Body;
  return { service, request, settings };
}

const QUESTION = json("POST", { question: "What colour is the gate?", stream: false });

test("one plugin is used under several names, each with its own address and key", async () => {
  const [near, far] = [await backend("The gate is green."), await backend("The gate is red.")];
  const { service, request } = await house({
    config: {
      providers: {
        near: { plugin: "acorn", settings: { baseUrl: near.url, apiKey: "near-key" } },
        far: { plugin: "acorn", settings: { baseUrl: far.url, apiKey: "{env:FAR_KEY}" } },
      },
      chat: ["far/oak", "near/oak"],
    },
    env: { FAR_KEY: "far-key" },
  });
  const { providers } = await request<ProviderList>("/api/v1/providers");
  expect(providers.map(({ id, package: name, health }) => [id, name, health.status])).toEqual([
    ["near", "acorn-provider", "ok"],
    ["far", "acorn-provider", "ok"],
    ["echo", undefined, "ok"],
  ]);
  await addText(service, "gate.txt", "The gate is green.");
  expect(await request<Run>("/api/v1/answer", QUESTION)).toMatchObject({
    answer: "The gate is red.",
    model: { ref: "far/oak" },
  });
  expect(new Set(near.keys)).toEqual(new Set(["near-key"]));
  expect(new Set(far.keys)).toEqual(new Set(["far-key"]));
  const { resolved } = await request<ActiveSettings>("/api/v1/settings/active");
  expect(resolved.slice(0, 2).map(({ ref }) => ref)).toEqual(["far/oak", "near/oak"]);
});

test("what is chosen on the page goes before what the file says", async () => {
  const { url } = await backend("Yes.");
  const { request } = await house({
    config: { providers: { acorn: { settings: { baseUrl: url, apiKey: "k" } } }, chat: ["acorn/oak"] },
  });
  const before = await request<ModelList>("/api/v1/models");
  expect(before.active?.ref).toBe("acorn/oak");
  const echoed = before.models.find(({ providerId, task }) => providerId === "echo" && task === "chat");
  await request("/api/v1/settings/active", json("PUT", { model: echoed?.ref }));
  expect((await request<ModelList>("/api/v1/models")).active?.ref).toBe(echoed?.ref);
  await request("/api/v1/settings/active", json("PUT", { model: null }));
  expect((await request<ModelList>("/api/v1/models")).active?.ref).toBe("acorn/oak");
});

test("the file says who makes the vectors, and when that one is down nobody else does", async () => {
  const { url } = await backend("Yes.");
  const config = (baseUrl: string) => ({
    providers: { acorn: { settings: { baseUrl, apiKey: "k" } } },
    embedding: "acorn/nut",
  });
  const up = await house({ config: config(url) });
  await addText(up.service, "gate.txt", "The gate is green.");
  const { embedder } = await up.request<ActiveSettings>("/api/v1/settings/active");
  expect(embedder?.ref).toBe("acorn/nut");
  expect((await up.service.store.listGenerations()).map(({ model }) => model)).toEqual(["nut"]);

  const down = await house({ config: config("http://127.0.0.1:9") });
  await addText(down.service, "gate.txt", "The gate is green.");
  expect(await down.service.store.listGenerations()).toEqual([]);
  const { problems } = await down.request<ModelList>("/api/v1/models");
  expect(problems).toMatchObject([
    { code: "unavailable", providerId: "acorn", hint: "start it with: acorn serve" },
  ]);
});

test("settings of package.json are kept where the user's file leaves them alone", async () => {
  const { config } = await settingsOf({
    own: { providers: { acorn: { settings: { baseUrl: "{modelsDir}", apiKey: "theirs" } } } },
    config: { providers: { acorn: { settings: { apiKey: "mine" } } } },
  });
  expect(config.providers["acorn"]?.settings).toEqual({
    baseUrl: expect.stringMatching(/models$/),
    apiKey: "mine",
  });
});

test("wrong settings are told with the provider, the setting and the file, and spoil nothing else", async () => {
  const { request, settings } = await house({
    config: { providers: { acorn: { settings: { baseUrl: "http://127.0.0.1:9" } } } },
  });
  const { models, problems } = await request<ModelList>("/api/v1/models");
  expect(new Set(models.map(({ providerId }) => providerId))).toEqual(new Set(["echo"]));
  expect(problems).toMatchObject([{ code: "invalid-settings", providerId: "acorn" }]);
  expect(problems[0]?.detail).toContain("apiKey");
  expect(problems[0]?.hint).toContain(`"providers.acorn.settings" in ${settings.config.file}`);
  const { providers, configFile } = await request<ProviderList>("/api/v1/providers");
  expect(providers.find(({ id }) => id === "acorn")?.health).toMatchObject({
    status: "down",
    hint: expect.stringContaining(settings.config.file),
  });
  expect(configFile).toBe(settings.config.file);
});

test("a provider that is configured and not installed is told, with those that are", async () => {
  const { request } = await house({
    config: { providers: { lab: { plugin: "acorm" } }, chat: ["lab/oak"] },
    own: { providers: { elsewhere: {} } },
  });
  const { diagnostics } = await request<ProviderList>("/api/v1/providers");
  const told = diagnostics.filter(({ code }) => code === "invalid-settings");
  expect(told).toMatchObject([{ providerId: "lab", status: "failed" }]);
  expect(told[0]?.message).toMatch(/"acorm" is not installed \(installed: .*acorn/);
  const { problems } = await request<ModelList>("/api/v1/models");
  expect(problems.map(({ detail }) => detail).join()).toContain('no provider "lab" is here');
});

test.each([
  ["{ nonsense", /config\.json could not be read/],
  ["[]", /config\.json holds no object/],
  [{ chat: ["qwen3"] }, /config\.json is not right: chat\.0: write the name of a provider, a slash/],
  [{ providers: { acorn: { baseUrl: "x" } } }, /providers\.acorn: .*baseUrl/],
  [{ models: [] }, /the file: .*models/],
  [
    { providers: { acorn: { settings: { apiKey: "{env:NOT_SET_ANYWHERE}" } } } },
    /providers\.acorn\.settings\.apiKey in .* wants the environment variable NOT_SET_ANYWHERE/,
  ],
])("%j is refused at the start, with what is wrong", async (config, says) => {
  const error = await settingsOf({ config }).catch((thrown: unknown) => thrown);
  expect(toProblem(error)).toMatchObject({
    code: "invalid-settings",
    detail: expect.stringMatching(says),
    hint: expect.any(String),
  });
});
