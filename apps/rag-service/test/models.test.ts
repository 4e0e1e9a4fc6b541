import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createRegistry, LlmError, type PullProgress } from "@enginehouse/llm-core";
import { afterEach, expect, test } from "vitest";

import type {
  ActiveSettings,
  Job,
  ModelList,
  ModelsAvailable,
  Problem,
  ProviderList,
  Run,
} from "../src/api/schemas.ts";
import { createApp } from "../src/app.ts";
import { createModels } from "../src/models.ts";
import { openService } from "../src/service.ts";
import { readSettings } from "../src/settings.ts";
import { createDouble, words, type DoubleExtras } from "./double.ts";
import { addText, json, serviceUnderTest, until, type UnderTest } from "./under-test.ts";

const open: { close: () => Promise<unknown> }[] = [];
afterEach(async () => {
  for (const one of open.splice(0)) await one.close();
});

async function house(extras: DoubleExtras = {}, config: object = {}): Promise<UnderTest> {
  const double = createDouble("house", [{ id: "steady", speak: words("Yes.") }], extras);
  const folder = await mkdtemp(join(tmpdir(), "rag-config-"));
  await writeFile(join(folder, "config.json"), JSON.stringify(config));
  const app = await serviceUnderTest(
    { plugins: [double] },
    { ENGINEHOUSE_CONFIG: join(folder, "config.json") },
  );
  open.push(app, { close: () => rm(folder, { recursive: true }) });
  return app;
}

async function read<Body>(app: UnderTest, path: string, init?: RequestInit): Promise<Body> {
  return (await (await app.request(path, init)).json()) as Body;
}

const CATALOGUE = {
  catalogue: [
    {
      model: "hf:acme/wise-7b.gguf",
      format: "gguf",
      name: "Wise",
      task: "chat",
      bytes: 4_000,
      license: "MIT",
      note: "Knows.",
    },
    {
      model: "steady",
      backend: "house",
      name: "Steady",
      task: "chat",
      bytes: 10,
      license: "MIT",
      note: "Is here.",
    },
    {
      model: "far",
      backend: "elsewhere",
      name: "Far",
      task: "chat",
      bytes: 10,
      license: "MIT",
      note: "Is nowhere.",
    },
  ],
};

test("what can be fetched is offered by whoever can fetch it, and nothing else is", async () => {
  const app = await house({ operations: ["pull"], formats: ["gguf"] }, CATALOGUE);
  const { catalogue, models, active, modelsFolder } = await read<ModelList>(app, "/api/v1/models");
  expect(catalogue.map(({ name, backend, installed }) => [name, backend, installed])).toEqual([
    ["Wise", "house", false],
    ["Steady", "house", true],
  ]);
  expect(models).toMatchObject([{ ref: "house/steady", task: "chat", demonstration: false }]);
  expect(active).toMatchObject({ ref: "house/steady" });
  expect(modelsFolder).toBe(app.service.settings.modelsDir);
  const { backends } = await read<ModelsAvailable>(app, "/api/models/available");
  expect(backends).toMatchObject([
    {
      backend: "house",
      info: { health: { status: "ok" } },
      models: [{ name: "Wise" }, { name: "Steady" }],
      installed: [{ model: "steady" }],
    },
  ]);
});

test.each([
  ["apache-2.0", "Apache-2.0"],
  ["APACHE 2.0", "Apache-2.0"],
  ["mit", "MIT"],
  ["cc-by-nc-4.0", "CC-BY-NC-4.0"],
  ["bsd-3-clause", "BSD-3-Clause"],
  ["gpl-3.0", "GPL-3.0"],
  ["llama3.1", "llama3.1"],
  ["                 Apache License\n           Version 2.0, January 2004\n  http…", "Apache-2.0"],
  ["MIT License\n\nCopyright (c) somebody", "MIT"],
  ["Terms of the acorn\nYou may look at it.", "Terms of the acorn"],
])("a licence told as %j is shown as %j", async (told, shown) => {
  const app = await house(
    {
      operations: ["pull", "describe"],
      methods: {
        describeModel: async (model) => ({
          id: model,
          license: told,
          capabilities: { chat: { value: "yes", source: "manifest" } } as never,
        }),
      },
    },
    { catalogue: [{ ...CATALOGUE.catalogue[1], license: told }] },
  );
  const { models, catalogue } = await read<ModelList>(app, "/api/v1/models");
  expect([models[0]?.license, catalogue[0]?.license]).toEqual([shown, shown]);
});

function pulling(
  pullModel: (model: string, signal: AbortSignal) => AsyncIterable<PullProgress>,
): DoubleExtras {
  return {
    operations: ["pull"],
    methods: {
      pullModel: ({ model }, { signal = new AbortController().signal } = {}) => pullModel(model, signal),
    },
  };
}

async function waitFor(app: UnderTest, jobId: string, status: Job["status"]): Promise<Job> {
  await until(async () => (await read<Job>(app, `/api/v1/jobs/${jobId}`)).status === status);
  return read<Job>(app, `/api/v1/jobs/${jobId}`);
}

async function download(app: UnderTest, body: object): Promise<string> {
  const response = await app.request("/api/models/download", json("POST", body));
  expect(response.status).toBe(202);
  return ((await response.json()) as { jobId: string }).jobId;
}

test("a download is a job with progress, to be found among the others", async () => {
  const app = await house(
    pulling(async function* () {
      yield { status: "resolving" };
      yield { status: "downloading", receivedBytes: 50, totalBytes: 100, fraction: 0.5 };
      yield { status: "done", fraction: 1, receivedBytes: 100, totalBytes: 100, model: "wise" };
    }),
  );
  const jobId = await download(app, { model: "wise" });
  expect(await waitFor(app, jobId, "completed")).toMatchObject({
    kind: "download",
    done: 100,
    total: 100,
    providerId: "house",
  });
  const { jobs } = await read<{ jobs: Job[] }>(app, "/api/v1/jobs");
  expect(jobs.map(({ id }) => id)).toContain(jobId);
  const events = await (await app.request(`/api/v1/jobs/${jobId}/events`)).text();
  expect(events).toContain("event: job.completed");
});

test("a download is cancelled, and asked for twice it is fetched once", async () => {
  let pulls = 0;
  const app = await house(
    pulling(async function* (_model, signal) {
      pulls += 1;
      yield { status: "downloading", fraction: 0.25 };
      await new Promise((_, reject) =>
        signal.addEventListener("abort", () => reject(new Error("left")), { once: true }),
      );
    }),
  );
  const jobId = await download(app, { model: "wise", backend: "house" });
  expect(await download(app, { model: "wise" })).toBe(jobId);
  await until(async () => (await read<Job>(app, `/api/v1/jobs/${jobId}`)).done === 250);
  await app.request(`/api/v1/jobs/${jobId}`, { method: "DELETE" });
  await waitFor(app, jobId, "cancelled");
  expect(pulls).toBe(1);
});

test("a download that fails says why, and can be tried again", async () => {
  let pulls = 0;
  const app = await house(
    pulling(async function* () {
      pulls += 1;
      yield { status: "downloading", fraction: 0.1 };
      if (pulls === 1) throw new LlmError("disk-full", "no room for 4 GB", { hint: "Free some space." });
      yield { status: "done", fraction: 1, model: "wise" };
    }),
  );
  const jobId = await download(app, { model: "wise" });
  const failed = await waitFor(app, jobId, "failed");
  expect(failed.error).toMatchObject({ code: "disk-full", hint: "Free some space.", providerId: "house" });
  const again = await read<Job>(app, `/api/v1/jobs/${jobId}/retry`, { method: "POST" });
  await waitFor(app, again.id, "completed");
});

test("a download that reaches nobody asks for the network, and names the folder for a file", async () => {
  const app = await house(
    pulling(async function* () {
      yield { status: "resolving" };
      throw new LlmError("unavailable", "https://hub.test: no such host is known", { phase: "connect" });
    }),
  );
  const failed = await waitFor(app, await download(app, { model: "wise" }), "failed");
  expect(failed.error?.detail).toMatch(/^https:/);
  expect(failed.error?.hint).toMatch(/computer online\?.*GGUF file into .*models/);
});

test("who cannot fetch models is named with those who can", async () => {
  const app = await house();
  const refusal = await read<Problem>(
    app,
    "/api/models/download",
    json("POST", { model: "x", backend: "house" }),
  );
  expect(refusal).toMatchObject({ status: 422, code: "unsupported" });
  const unknown = await read<Problem>(
    app,
    "/api/models/download",
    json("POST", { model: "x", backend: "nobody" }),
  );
  expect(unknown).toMatchObject({ status: 400, code: "invalid-request" });
  expect(unknown.detail).toContain("nobody");
});

test("loading is refused where a provider does not load, and done where it does", async () => {
  const plain = await house();
  const refusal = await read<Problem>(plain, "/api/v1/models/load", json("POST", { ref: "house/steady" }));
  expect(refusal).toMatchObject({ status: 422, code: "unsupported" });
  const loading = await house({
    operations: ["load", "unload"],
    methods: {
      loadModel: async ({ model }) => ({ id: model, contextWindow: 2_048 }),
      unloadModel: async () => undefined,
    },
  });
  const body = json("POST", { ref: "house/steady" });
  expect(await read(loading, "/api/v1/models/load", body)).toEqual({
    ref: "house/steady",
    loaded: true,
    contextWindow: 2_048,
  });
  expect(await read(loading, "/api/v1/models/unload", body)).toEqual({ ref: "house/steady", loaded: false });
});

test("a provider that is down shows why, and does not hide the others", async () => {
  const down = createDouble("attic", [], {
    methods: {
      listModels: () =>
        Promise.reject(new LlmError("unavailable", "nobody listens on port 11434", { hint: "Start it." })),
      health: async () => ({ status: "down", message: "nobody listens", hint: "Start it." }),
    },
  });
  const up = createDouble("house", [{ id: "steady", speak: words("Yes.") }]);
  const app = await serviceUnderTest({ plugins: [down, up] });
  open.push(app);
  const { models, problems } = await read<ModelList>(app, "/api/v1/models");
  expect(models.map(({ ref }) => ref)).toEqual(["house/steady"]);
  expect(problems).toMatchObject([{ code: "unavailable", providerId: "attic", hint: "Start it." }]);
  const { providers } = await read<ProviderList>(app, "/api/v1/providers");
  expect(providers.map(({ id, health }) => [id, health.status])).toEqual([
    ["attic", "down"],
    ["house", "ok"],
  ]);
  expect(await read(app, "/api/v1/providers/attic/probe", { method: "POST" })).toMatchObject({
    hint: "Start it.",
  });
});

test("a provider that hangs holds up nobody for long, though it heeds no signal", async () => {
  const hung = createDouble("attic", [], { methods: { listModels: () => new Promise(() => undefined) } });
  const undescribed = createDouble("cellar", [{ id: "dark", speak: words("Hm.") }], {
    operations: ["describe"],
    methods: { describeModel: () => new Promise(() => undefined) },
  });
  const up = createDouble("house", [{ id: "steady", speak: words("Yes.") }]);
  const registry = createRegistry();
  for (const { plugin, manifest } of [hung, undescribed, up]) registry.register(plugin, manifest);
  const { models, problems } = await createModels(registry, { chat: [] }, 50).list();
  expect(models.map(({ ref }) => ref)).toEqual(["house/steady"]);
  expect(problems.map(({ code, provider }) => [code, provider])).toEqual([
    ["timeout", "attic"],
    ["timeout", "cellar"],
  ]);
});

test("the chosen model is refused when there is none of that name, and survives a restart when there is", async () => {
  const app = await house();
  const put = (body: object) => app.request("/api/v1/settings/active", json("PUT", body));
  const refusal = await put({ model: "house/nobody" });
  expect(refusal.status).toBe(404);
  expect(((await refusal.json()) as Problem).hint).toContain("house/steady");
  expect((await put({ model: "house/steady" })).status).toBe(200);
  await app.service.close();

  const double = createDouble("house", [
    { id: "other", speak: words("Other.") },
    { id: "steady", speak: words("Yes.") },
  ]);
  const again = await openService(app.service.settings, { plugins: [double] });
  open.push(again);
  const active = (await (
    await createApp(again).request("http://127.0.0.1/api/v1/settings/active")
  ).json()) as ActiveSettings;
  expect(active.model).toBe("house/steady");
  expect(active.resolved.map(({ ref }) => ref)).toEqual(["house/steady", "house/other"]);
});

/** A plugin as a third party might write it: no import, no dependency. */
const PLUGIN = `
const settings = { "~standard": { version: 1, vendor: "acme", validate: (value) => ({ value }) } };
const create = (given, { name } = {}) => ({
  name: name ?? "acme",
  async *stream({ model }) {
    yield { type: "start", model, warnings: [] };
    yield { type: "text-start", id: "1" };
    yield { type: "text-delta", id: "1", text: "The gate is green." };
    yield { type: "text-end", id: "1" };
    yield { type: "finish", reason: { unified: "stop" }, usage: {}, context: { truncated: "unknown" } };
  },
  listModels: async () => [{ id: "parrot", task: "chat" }],
  close: async () => {},
});
const plugin = { id: "acme", contract: 1, features: [], settings, create };
export default Object.defineProperty(plugin, Symbol.for("enginehouse.provider-plugin"), { value: true });
`;

async function application(dependencies: Record<string, string>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "rag-application-"));
  open.push({ close: () => rm(folder, { recursive: true, force: true }) });
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "application", dependencies }));
  for (const [name, code] of [
    ["acme-provider", PLUGIN],
    ["broken-provider", "throw new Error('not today');"],
  ] as const) {
    const place = join(folder, "node_modules", name);
    await mkdir(place, { recursive: true });
    const id = name.replace("-provider", "");
    const llmProvider = {
      contract: 1,
      id,
      entry: "./index.js",
      operations: ["chat", "list"],
      features: [],
      modelFormats: [],
    };
    const manifest = {
      name,
      version: "1.0.0",
      type: "module",
      exports: "./index.js",
      keywords: ["llm-provider"],
      llmProvider,
    };
    await writeFile(join(place, "package.json"), JSON.stringify(manifest));
    await writeFile(join(place, "index.js"), code);
  }
  return join(folder, "package.json");
}

async function serviceOf(dependencies: Record<string, string>) {
  const path = await application(dependencies);
  const settings = readSettings({ ENGINEHOUSE_DATA_DIR: join(path, "..", "data") }, path);
  const service = await openService(settings);
  open.unshift(service);
  const app = createApp(service);
  const request = async (where: string, init?: RequestInit) => app.request(`http://127.0.0.1${where}`, init);
  return { service, reported: [], request, close: service.close } satisfies UnderTest;
}

test("a third party's plugin in package.json appears and answers; without its line it is gone", async () => {
  const app = await serviceOf({ "acme-provider": "1.0.0" });
  const { providers, diagnostics } = await read<ProviderList>(app, "/api/v1/providers");
  expect(providers).toMatchObject([
    { id: "acme", package: "acme-provider", packageVersion: "1.0.0", operations: ["chat", "list"] },
  ]);
  expect(diagnostics).toMatchObject([{ package: "acme-provider", status: "used" }]);
  await addText(app.service, "gate.txt", "The gate is green.");
  const question = { question: "What colour is the gate?", stream: false };
  const run = await read<Run>(app, "/api/v1/answer", json("POST", question));
  expect(run).toMatchObject({
    answer: "The gate is green.",
    model: { ref: "acme/parrot" },
    supportedShare: 1,
  });
  // It tells no figures, and none are invented.
  expect(run.usage).toEqual({});
  expect(run.timings).not.toHaveProperty("tokensPerSecond");
  expect(run.context).toMatchObject({ counted: "estimate" });
  expect(run.context).not.toHaveProperty("window");

  const without = await serviceOf({});
  expect(await read<ProviderList>(without, "/api/v1/providers")).toMatchObject({
    providers: [],
    diagnostics: [],
  });
});

test("a plugin whose code is at fault is told in the diagnostics and spoils no other", async () => {
  const app = await serviceOf({ "acme-provider": "1.0.0", "broken-provider": "1.0.0" });
  const { models, problems } = await read<ModelList>(app, "/api/v1/models");
  expect(models.map(({ ref }) => ref)).toEqual(["acme/parrot"]);
  expect(problems).toMatchObject([{ code: "plugin-load-failed", providerId: "broken" }]);
  const { diagnostics } = await read<ProviderList>(app, "/api/v1/providers");
  const broken = diagnostics.find((row) => row.package === "broken-provider");
  expect(broken).toMatchObject({ status: "failed", code: "plugin-load-failed" });
  expect(broken?.message).toContain("not today");
});
