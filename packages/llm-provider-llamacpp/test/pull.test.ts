import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { generate, type PullProgress } from "@enginehouse/llm-core";
import { writeScriptedGguf } from "@enginehouse/llm-reference-model/scripted";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import { createLlamacpp } from "../src/index.ts";
import { createModelStore, type ModelStore, type ModelStoreOptions } from "../src/models.ts";
import { startFakeHub, sumOf } from "./fake-hub.ts";

// The hub and its file server speak what huggingface.co speaks, as its documentation and recorded headers have it: a
// contract of protocols, held on the wire. No test here leaves this machine.
const hub = await startFakeHub();
const model = scriptedModel();
const REPOSITORY = "someone/tiny-GGUF";
const FILE = "tiny-Q8_0.gguf";
const REFERENCE = `hf:${REPOSITORY}/${FILE}`;
const ID = `${REPOSITORY}/tiny-Q8_0`;

let folder = "";
const stores: ModelStore[] = [];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "pull-"));
  hub.reset();
  hub.put(REPOSITORY, FILE, model);
});
afterEach(async () => {
  await Promise.all(stores.splice(0).map((store) => store.close()));
  rmSync(folder, { recursive: true, force: true });
});

function open(more: Partial<ModelStoreOptions> = {}): ModelStore {
  const store = createModelStore({
    name: "llamacpp",
    modelsDir: folder,
    packaged: [],
    hubUrl: hub.url,
    pullStallMs: 10_000,
    ...more,
  });
  stores.push(store);
  return store;
}

async function drain(pull: AsyncIterable<PullProgress>): Promise<PullProgress[]> {
  const all: PullProgress[] = [];
  for await (const progress of pull) all.push(progress);
  return all;
}

function pullAll(store: ModelStore, reference = REFERENCE, signal?: AbortSignal): Promise<PullProgress[]> {
  return drain(store.pull({ model: reference }, { signal }));
}

const partPath = (): string => join(folder, REPOSITORY, `${FILE}.part`);
const finalPath = (): string => join(folder, REPOSITORY, FILE);
const fault = (promise: Promise<unknown>): Promise<unknown> => promise.catch((error: unknown) => error);

async function eventually(condition: () => boolean): Promise<void> {
  const until = Date.now() + 15_000;
  while (!condition()) {
    if (Date.now() > until) throw new Error(`never came true: ${String(condition)}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("a pull", () => {
  test("ends with done, the id to use, and the file whole in its place", async () => {
    const store = open();
    hub.slow(100_000, 20);
    const progress = await pullAll(store);
    expect(progress[0]).toEqual({ status: "resolving" });
    expect(progress.at(-1)).toMatchObject({
      status: "done",
      fraction: 1,
      model: ID,
      totalBytes: model.length,
    });
    expect(readFileSync(finalPath()).equals(model)).toBe(true);
    expect(readdirSync(join(folder, REPOSITORY))).toEqual([FILE]);
    expect(await store.resolve(ID)).toMatchObject({ id: ID, path: finalPath() });
    expect((await store.list()).map(({ id }) => id)).toEqual([ID]);
  });

  test("tells a fraction that never falls, below 1 until it is done", async () => {
    hub.slow(60_000, 15);
    const fractions = (await pullAll(open())).flatMap(({ fraction }) => fraction ?? []);
    expect(fractions.length).toBeGreaterThan(3);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(fractions.filter((fraction) => fraction === 1)).toHaveLength(1);
    expect(Math.min(...fractions)).toBeGreaterThanOrEqual(0);
  });

  test("of a model that is there asks nobody", async () => {
    const store = open();
    await pullAll(store);
    hub.seen.length = 0;
    expect((await pullAll(store)).at(-1)).toMatchObject({ status: "done", model: ID });
    expect(hub.seen).toEqual([]);
  });

  test("takes the quantization that is named, else a good one, and never the parts of other models", async () => {
    for (const name of ["tiny-Q4_K_M.gguf", "mmproj-tiny-Q4_K_M.gguf", "tiny-F16.gguf", "README.md"])
      hub.put(REPOSITORY, name, model);
    expect((await pullAll(open(), `hf:${REPOSITORY}`)).at(-1)?.model).toBe(`${REPOSITORY}/tiny-Q4_K_M`);
    expect((await pullAll(open(), `hf:${REPOSITORY}:f16`)).at(-1)?.model).toBe(`${REPOSITORY}/tiny-F16`);
    expect(await fault(pullAll(open(), `hf:${REPOSITORY}:Q2_K`))).toMatchObject({
      code: "model-not-found",
      hint: expect.stringContaining("tiny-Q4_K_M.gguf"),
    });
  });

  test("fetches every part of a split model, under one id and one fraction", async () => {
    const parts = [1, 2, 3].map((index) => `big-Q4_0-0000${index}-of-00003.gguf`);
    for (const part of parts) hub.put(REPOSITORY, part, model);
    const progress = await pullAll(open(), `hf:${REPOSITORY}:Q4_0`);
    expect(progress.at(-1)).toMatchObject({ model: `${REPOSITORY}/big-Q4_0`, totalBytes: model.length * 3 });
    const fractions = progress.flatMap(({ fraction }) => fraction ?? []);
    expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
    expect(readdirSync(join(folder, REPOSITORY)).toSorted()).toEqual(parts);
    expect(hub.fileRequests()).toHaveLength(3);
  });

  test("of a plain address lands below its host's name", async () => {
    const address = `${hub.filesUrl}/${REPOSITORY}/${FILE}`;
    const last = (await pullAll(open(), address)).at(-1);
    expect(last?.model).toBe(`${new URL(address).host.replace(":", "_")}/${REPOSITORY}/tiny-Q8_0`);
    expect(hub.seen.every(({ server }) => server === "files")).toBe(true);
  });

  test("without a known length tells no fraction, and still proves the file whole", async () => {
    hub.misbehave({ do: "no-length" });
    const progress = await pullAll(open(), `${hub.filesUrl}/${REPOSITORY}/${FILE}`);
    expect(
      progress.slice(0, -1).every(({ fraction, status }) => fraction === undefined || status === "verifying"),
    ).toBe(true);
    expect(progress.at(-1)?.status).toBe("done");
  });
});

describe("cancelling", () => {
  test("closes the socket, keeps the part, and the next pull asks for the rest only", async () => {
    hub.slow(20_000, 10);
    const store = open();
    const controller = new AbortController();
    const error = await fault(
      (async () => {
        for await (const { receivedBytes } of store.pull(
          { model: REFERENCE },
          { signal: controller.signal },
        )) {
          if ((receivedBytes ?? 0) > 60_000) controller.abort();
        }
      })(),
    );
    expect(error).toMatchObject({ code: "aborted" });
    await eventually(() => hub.openSockets() === 0);
    expect(hub.fileRequests()[0]).toMatchObject({ left: true });
    const kept = statSync(partPath()).size;
    expect(kept).toBeGreaterThan(60_000);
    expect(kept).toBeLessThan(model.length);
    expect(existsSync(finalPath())).toBe(false);

    hub.slow(64_000, 0);
    const progress = await pullAll(store);
    expect(hub.fileRequests()[1]).toMatchObject({ range: `bytes=${kept}-`, sent: model.length - kept });
    expect(progress.find(({ fraction }) => fraction !== undefined)?.fraction).toBeCloseTo(
      kept / model.length,
      2,
    );
    expect(readFileSync(finalPath()).equals(model)).toBe(true);
  });

  test("by leaving the loop does the same", async () => {
    hub.slow(20_000, 10);
    for await (const { receivedBytes } of open().pull({ model: REFERENCE }))
      if ((receivedBytes ?? 0) > 0) break;
    await eventually(() => hub.openSockets() === 0);
    expect(hub.fileRequests()[0]?.left).toBe(true);
    expect(existsSync(partPath())).toBe(true);
  });

  test("before it begins sends no request", async () => {
    expect(await fault(pullAll(open(), REFERENCE, AbortSignal.abort()))).toMatchObject({ code: "aborted" });
    expect(hub.seen).toEqual([]);
  });

  test("leaves no listener on a long-lived signal", async () => {
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...given: Parameters<typeof add>) => (listeners++, add(...given));
    signal.removeEventListener = (...given: Parameters<typeof remove>) => (listeners--, remove(...given));
    hub.slow(20_000, 5);
    await pullAll(open(), REFERENCE, signal);
    expect(listeners).toBe(0);
  });

  test("close() ends running pulls and their sockets", async () => {
    hub.slow(10_000, 10);
    const store = open();
    const running = fault(pullAll(store));
    await eventually(() => (hub.fileRequests()[0]?.sent ?? 0) > 0);
    await store.close();
    expect(await running).toMatchObject({ code: "aborted" });
    await eventually(() => hub.openSockets() === 0);
  });
});

describe("two callers", () => {
  test("share one download, and one may leave without harm to the other", async () => {
    hub.slow(20_000, 10);
    const store = open();
    const controller = new AbortController();
    const leaving = fault(pullAll(store, REFERENCE, controller.signal));
    const staying = pullAll(store);
    await eventually(() => (hub.fileRequests()[0]?.sent ?? 0) > 40_000);
    controller.abort();
    expect(await leaving).toMatchObject({ code: "aborted" });
    expect((await staying).at(-1)).toMatchObject({ status: "done", model: ID });
    expect(hub.fileRequests()).toHaveLength(1);
    expect(hub.fileRequests()[0]).toMatchObject({ sent: model.length, left: false });
  });

  test("where one begins while the other's is being cancelled get a pull of their own", async () => {
    hub.slow(20_000, 10);
    const store = open();
    const controller = new AbortController();
    const first = fault(pullAll(store, REFERENCE, controller.signal));
    await eventually(() => (hub.fileRequests()[0]?.sent ?? 0) > 0);
    controller.abort();
    const second = pullAll(store);
    expect(await first).toMatchObject({ code: "aborted" });
    expect((await second).at(-1)?.status).toBe("done");
  });

  test("in two stores over one folder do not write into each other's file", async () => {
    hub.slow(20_000, 10);
    const first = pullAll(open());
    await eventually(() => (hub.fileRequests()[0]?.sent ?? 0) > 0);
    expect(await fault(pullAll(open()))).toMatchObject({
      code: "unavailable",
      message: expect.stringContaining(String(process.pid)),
    });
    expect((await first).at(-1)?.status).toBe("done");
  });

  test("the lock of a process that is gone is no hindrance", async () => {
    const store = open();
    await pullAll(store);
    rmSync(finalPath());
    writeFileSync(`${partPath()}.lock`, "4194303");
    expect((await pullAll(store)).at(-1)?.status).toBe("done");
    expect(existsSync(`${partPath()}.lock`)).toBe(false);
  });
});

describe("resuming", () => {
  async function breakOff(after: number, reference = REFERENCE): Promise<void> {
    hub.misbehave({ do: "cut", after });
    expect(await fault(pullAll(open(), reference))).toMatchObject({
      code: "stream-interrupted",
      retryable: true,
      hint: expect.stringContaining("Pull again"),
    });
    await eventually(() => hub.openSockets() === 0);
    hub.seen.length = 0;
  }

  test("after a cut goes on where it stopped, in another process too", async () => {
    await breakOff(100_000);
    expect(statSync(partPath()).size).toBe(100_000);
    await pullAll(open());
    expect(hub.fileRequests()).toMatchObject([{ range: "bytes=100000-", sent: model.length - 100_000 }]);
    expect(readFileSync(finalPath()).equals(model)).toBe(true);
  });

  test("never puts together two versions of a file: a new sum at the hub means from the start", async () => {
    await breakOff(100_000);
    const other = scriptedModel("changed");
    hub.put(REPOSITORY, FILE, other);
    await pullAll(open());
    expect(hub.fileRequests()).toMatchObject([{ range: undefined }]);
    expect(readFileSync(finalPath()).equals(other)).toBe(true);
  });

  test("of a plain address holds the server to its tag", async () => {
    const address = `${hub.filesUrl}/${REPOSITORY}/${FILE}`;
    const target = join(folder, new URL(address).host.replace(":", "_"), REPOSITORY, FILE);
    await breakOff(100_000, address);
    const other = scriptedModel("changed");
    hub.put(REPOSITORY, FILE, other);
    await pullAll(open(), address);
    expect(hub.fileRequests()).toMatchObject([
      { range: "bytes=100000-", ifRange: expect.stringMatching(/^"/), sent: other.length },
    ]);
    expect(readFileSync(target).equals(other)).toBe(true);
  });

  test.each(["ignore-range", "wrong-range"] as const)(
    "with a server that answers %s yields the right file",
    async (kind) => {
      await breakOff(100_000);
      hub.misbehave({ do: kind });
      const fractions = (await pullAll(open())).flatMap(({ fraction }) => fraction ?? []);
      expect(fractions).toEqual(fractions.toSorted((a, b) => a - b));
      expect(readFileSync(finalPath()).equals(model)).toBe(true);
    },
  );

  test("a part that is longer than the file is thrown away", async () => {
    await breakOff(100_000);
    writeFileSync(partPath(), Buffer.alloc(model.length + 5));
    await pullAll(open());
    expect(readFileSync(finalPath()).equals(model)).toBe(true);
  });

  test("a part that was whole already is only verified", async () => {
    await breakOff(100_000);
    writeFileSync(partPath(), model);
    expect((await pullAll(open())).at(-1)?.status).toBe("done");
    expect(hub.fileRequests()).toEqual([]);
  });
});

describe("what goes wrong", () => {
  test.each([
    [401, "unauthenticated", "HF_TOKEN"],
    [403, "forbidden", "licence"],
    [404, "model-not-found", "spelling"],
    [429, "rate-limited", "wait"],
    [500, "unavailable", "later"],
    [503, "unavailable", "later"],
  ] as const)("%i at the hub is %s with a hint, at once", async (status, code, hint) => {
    hub.misbehaveAtHub({
      do: "status",
      status,
      headers: { "retry-after": "7" },
      body: '{"error":"so it is"}',
    });
    const error = await fault(pullAll(open()));
    expect(error).toMatchObject({
      code,
      status,
      hint: expect.stringContaining(hint),
      message: expect.stringContaining("so it is"),
    });
    expect(hub.seen).toHaveLength(1);
  });

  test("a hub that asks for patience says for how long", async () => {
    hub.misbehaveAtHub({ do: "status", status: 429, headers: { "retry-after": "7" } });
    expect(await fault(pullAll(open()))).toMatchObject({ retryAfterMs: 7_000, retryable: true });
  });

  test("more than the disk has room for is disk-full with figures, before a byte is written", async () => {
    hub.misbehave({ do: "huge" });
    const error = await fault(pullAll(open(), `${hub.filesUrl}/${REPOSITORY}/${FILE}`));
    expect(error).toMatchObject({ code: "disk-full", figures: { needed: 9e15, free: expect.any(Number) } });
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).endsWith(".part"))).toEqual(
      [],
    );
    await eventually(() => hub.openSockets() === 0);
  });

  test.skipIf(!existsSync("/dev/full"))("a disk that fills up on the way is disk-full, too", async () => {
    mkdirSync(join(folder, REPOSITORY), { recursive: true });
    symlinkSync("/dev/full", partPath());
    expect(await fault(pullAll(open()))).toMatchObject({
      code: "disk-full",
      hint: expect.stringContaining("Free some space"),
    });
    expect(existsSync(finalPath())).toBe(false);
    await eventually(() => hub.openSockets() === 0);
  });

  test("500 from the file server is not retried and keeps what is there", async () => {
    hub.misbehave({ do: "cut", after: 50_000 }, { do: "status", status: 500 });
    await fault(pullAll(open()));
    expect(await fault(pullAll(open()))).toMatchObject({ code: "unavailable", status: 500, retryable: true });
    expect(hub.fileRequests()).toHaveLength(2);
    expect(statSync(partPath()).size).toBe(50_000);
  });

  test("a server that falls silent is a timeout, and the part stays", async () => {
    hub.misbehave({ do: "stall", after: 80_000 });
    expect(await fault(pullAll(open({ pullStallMs: 1_000 })))).toMatchObject({
      code: "timeout",
      hint: expect.stringContaining("pullStallMs"),
    });
    expect(statSync(partPath()).size).toBe(80_000);
    await eventually(() => hub.openSockets() === 0);
  });

  test("a slow server that keeps sending is none", async () => {
    hub.slow(Math.ceil(model.length / 12), 200);
    expect((await pullAll(open({ pullStallMs: 1_500 }))).at(-1)?.status).toBe("done");
  });

  test("nothing listening is unavailable", async () => {
    expect(await fault(pullAll(open({ hubUrl: "http://127.0.0.1:9" })))).toMatchObject({
      code: "unavailable",
      retryable: true,
    });
  });

  test("a file with another sum than announced is thrown away", async () => {
    const changed = Buffer.from(model);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    hub.misbehave({ do: "body", type: "application/octet-stream", body: changed });
    expect(await fault(pullAll(open()))).toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining(sumOf(model)),
    });
    expect(readdirSync(join(folder, REPOSITORY))).toEqual([]);
  });

  test("a web page in place of a model is noticed with its first bytes", async () => {
    hub.misbehave({ do: "body", type: "text/html", body: Buffer.alloc(300_000, "<html>") });
    expect(await fault(pullAll(open(), `${hub.filesUrl}/${REPOSITORY}/${FILE}`))).toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining("text/html"),
    });
    expect(readdirSync(folder, { recursive: true }).filter((name) => String(name).includes(".part"))).toEqual(
      [],
    );
  });

  test.each(["longer", "shorter"] as const)("a file that is %s than announced is refused", async (kind) => {
    hub.misbehave({ do: kind });
    expect(await fault(pullAll(open()))).toMatchObject({ code: "invalid-response" });
    expect(existsSync(finalPath())).toBe(false);
  });

  test("a file that its source has truncated is refused", async () => {
    const address = `${hub.filesUrl}/${REPOSITORY}/${FILE}`;
    hub.misbehave({
      do: "body",
      type: "application/octet-stream",
      body: model.subarray(0, model.length - 1_000),
    });
    expect(await fault(pullAll(open(), address))).toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining("truncated"),
    });
  });

  test("a folder that cannot be written says so", async () => {
    writeFileSync(join(folder, "file"), "");
    expect(await fault(pullAll(open({ modelsDir: join(folder, "file", "models") })))).toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("modelsDir"),
    });
  });
});

describe("through the provider", () => {
  test("a pulled model is listed and answers under its id", async () => {
    const provider = createLlamacpp({ modelsDir: folder, hubUrl: hub.url, threads: 1, gpu: false });
    try {
      let id = "";
      for await (const { model: pulled } of provider.pullModel({ model: REFERENCE })) id = pulled ?? id;
      expect((await provider.listModels()).map((one) => one.id)).toEqual([id]);
      expect(await provider.describeModel(REFERENCE)).toMatchObject({ id, task: "chat" });
      const answer = await generate(provider, { model: id, messages: [{ role: "user", content: "Hello" }] });
      expect(answer.text).toBe("Good day.");
      await provider.deleteModel(id);
      expect(await provider.listModels()).toEqual([]);
    } finally {
      await provider.close();
    }
  });

  test("its closing ends a pull as shut-down, and faults name it", async () => {
    hub.slow(10_000, 10);
    const provider = createLlamacpp({ modelsDir: folder, hubUrl: hub.url });
    const running = fault(drain(provider.pullModel({ model: REFERENCE })));
    await eventually(() => (hub.fileRequests()[0]?.sent ?? 0) > 0);
    await provider.close();
    expect(await running).toMatchObject({ code: "shut-down", provider: "llamacpp", operation: "pull" });
    await eventually(() => hub.openSockets() === 0);
  });
});

describe("a token", () => {
  const hubToken = "secret-of-the-hub-0123";

  test("goes to the hub and not to the server it leads to", async () => {
    await pullAll(open({ hubToken }));
    const toHub = hub.seen.filter(({ server }) => server === "hub");
    expect(toHub.map(({ authorization }) => authorization)).toEqual(toHub.map(() => `Bearer ${hubToken}`));
    expect(hub.fileRequests().map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test("is in no error, even where the server repeats it", async () => {
    hub.misbehaveAtHub({ do: "status", status: 401, body: `{"error":"${hubToken} is unknown"}` });
    const error = await fault(pullAll(open({ hubToken })));
    expect(`${JSON.stringify(error)} ${String(error)}`).not.toContain(hubToken);
  });

  test("and signatures in addresses are in no message either", async () => {
    hub.misbehave({ do: "status", status: 500 });
    const error = await fault(pullAll(open()));
    expect(`${JSON.stringify(error)} ${String(error)}`).not.toContain("signature");
  });
});

describe("what is never fetched", () => {
  test.each([
    "hf:../x",
    "hf:a",
    "hf:a/b/../../c.gguf",
    "hf:a/b/c.bin",
    "hf:a/..",
    "hf:a/b:",
    "hf:a/b/c%2f..%2fd.gguf/..",
    "https://example.com/model.bin",
    "https://example.com/%2e%2e/%2e%2e/x.gguf%00",
    "https://example.com/a%2f..%2f..%2fx.gguf",
    "hf:con/aux/nul.gguf",
    "hf:a/b/.hidden.gguf",
  ])("%s", async (reference) => {
    expect(await fault(pullAll(open(), reference))).toMatchObject({ code: "invalid-request" });
    expect(hub.seen).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a plain http address beyond this machine", async () => {
    expect(await fault(pullAll(open(), "http://192.0.2.1/model.gguf"))).toMatchObject({
      code: "forbidden",
      hint: expect.stringContaining("allowInsecureDownloads"),
    });
  });

  test("a redirect to such an address", async () => {
    hub.misbehave({ do: "redirect", to: "http://192.0.2.1/model.gguf" });
    expect(await fault(pullAll(open()))).toMatchObject({ code: "forbidden" });
  });

  test("an endless chain of redirects", async () => {
    hub.misbehave(
      ...Array.from(
        { length: 20 },
        () => ({ do: "redirect", to: `${hub.filesUrl}/${REPOSITORY}/${FILE}` }) as const,
      ),
    );
    expect(await fault(pullAll(open()))).toMatchObject({
      code: "invalid-response",
      message: expect.stringContaining("address to the next"),
    });
  });

  test("a name that is no reference", async () => {
    expect(await fault(pullAll(open(), "llama3"))).toMatchObject({
      code: "model-not-found",
      hint: expect.stringContaining("hf:user/repository"),
    });
  });
});

function scriptedModel(name = "tiny"): Buffer {
  const path = join(mkdtempSync(join(tmpdir(), "model-")), "model.gguf");
  writeScriptedGguf(path, { script: [{ say: "Good day." }], name });
  return readFileSync(path);
}
