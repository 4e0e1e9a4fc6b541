import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { writeDamagedGguf, writeScriptedGguf } from "@enginehouse/llm-reference-model/scripted";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

import type { Document, DocumentContent, DocumentsAccepted, Job, Run, RunEvent } from "../src/api/schemas.ts";
import {
  childrenOf,
  isAlive,
  processorTime,
  startProcess,
  unbuilt,
  withoutProc,
  type RunningProcess,
} from "./process.ts";
import { json, readEvents, until } from "./under-test.ts";

const skipped = unbuilt ?? withoutProc;
const QUESTION = { question: "What colour is the gate?" };
const open: RunningProcess[] = [];
let data: string;

beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), "rag-process-"));
});
afterEach(async () => {
  for (const { child, exited } of open.splice(0)) {
    child.kill("SIGKILL");
    await exited;
  }
  rmSync(data, { recursive: true, force: true });
});

async function start(): Promise<RunningProcess> {
  const running = await startProcess({ ENGINEHOUSE_DATA_DIR: data });
  open.push(running);
  return running;
}

async function read<Body>({ url }: RunningProcess, path: string): Promise<Body> {
  return (await (await fetch(`${url}${path}`)).json()) as Body;
}

async function add({ url }: RunningProcess, name: string, text: string): Promise<DocumentsAccepted> {
  const response = await fetch(`${url}/api/v1/collections/default/documents`, json("POST", { name, text }));
  expect(response.status).toBe(202);
  return (await response.json()) as DocumentsAccepted;
}

async function ready(service: RunningProcess, id: string): Promise<void> {
  await until(
    async () => (await read<Document>(service, `/api/v1/documents/${id}`)).status === "ready",
    60_000,
  );
}

function ask({ url }: RunningProcess, request: object = {}, signal?: AbortSignal): Promise<Response> {
  const init = json("POST", { ...QUESTION, ...request });
  return fetch(`${url}/api/v1/answer`, signal === undefined ? init : { ...init, signal });
}

/** A model that answers for ever, and one that answers at once; both real files in the real engine. */
function writeModels(): void {
  mkdirSync(join(data, "models"), { recursive: true });
  const padding = { width: 1024, layers: 2 };
  const forever = { script: [{ say: "The gate is green. ", forever: true }], contextWindow: 4096, padding };
  writeScriptedGguf(join(data, "models", "forever.gguf"), forever);
  writeScriptedGguf(join(data, "models", "steady.gguf"), { script: [{ say: "The gate is green." }] });
}

const FOREVER = { model: "llamacpp/forever", mode: "generate", maxTokens: 3_000 };
const STEADY = { model: "llamacpp/steady", mode: "generate", stream: false };

/** All events of an answer, and a promise of its first words. */
function listen(response: Response) {
  let words = 0;
  const all = readEvents(response, (event) => {
    if (event.type === "text.delta") words += 1;
    return false;
  });
  return { all, begun: () => until(() => words >= 5, 60_000) };
}

describe.skipIf(skipped !== undefined)(
  `the service as a process${skipped === undefined ? "" : ` (${skipped})`}`,
  () => {
    test("killed while it reads documents, it goes on after a restart and every acknowledged one is whole", async () => {
      const first = await start();
      const texts = Array.from(
        { length: 6 },
        (_, number) =>
          `# Book ${number}\n\n${Array.from({ length: 1_500 }, (_unused, line) => `Line ${line} of book ${number} tells of gate ${line * 7}.`).join("\n\n")}`,
      );
      const accepted = await Promise.all(texts.map((text, number) => add(first, `book-${number}.md`, text)));
      await until(async () => {
        const { jobs } = await read<{ jobs: Job[] }>(first, "/api/v1/jobs");
        return jobs.some(({ status }) => status === "running");
      });
      first.child.kill("SIGKILL");
      expect(await first.exited).toBe("SIGKILL");

      const second = await start();
      for (const [number, { documentId, jobId = "" }] of accepted.entries()) {
        await ready(second, documentId);
        expect(await read<Job>(second, `/api/v1/jobs/${jobId}`)).toMatchObject({ status: "completed" });
        const { text } = await read<DocumentContent>(second, `/api/v1/documents/${documentId}/content`);
        expect(text).toContain(`Line 1499 of book ${number} tells of gate 10493.`);
        expect(text.length).toBeGreaterThan((texts[number]?.length ?? 0) * 0.95);
      }
    }, 180_000);

    test("the engine killed in the middle of an answer is a typed error, and the next question works", async () => {
      writeModels();
      const service = await start();
      const { documentId } = await add(service, "gate.txt", "The gate is green.");
      await ready(service, documentId);
      const { all, begun } = listen(await ask(service, FOREVER));
      await begun();
      const engines = childrenOf(service.child.pid ?? 0);
      expect(engines).toHaveLength(1);
      for (const pid of engines) process.kill(pid, "SIGKILL");
      const last = (await all).at(-1)?.event as Extract<RunEvent, { type: "run.error" }>;
      expect(last).toMatchObject({
        type: "run.error",
        error: { providerId: "llamacpp" },
        run: { status: "failed" },
      });
      expect(["stream-interrupted", "unavailable", "provider-internal"]).toContain(last.error.code);
      expect(last.error.hint ?? last.error.detail).toBeTruthy();
      expect(last.run.answer).toContain("The gate is green.");

      const next = (await (await ask(service, STEADY)).json()) as Run;
      expect(next).toMatchObject({ status: "completed", answer: "The gate is green.", supportedShare: 1 });
      expect(service.child.exitCode).toBeNull();
    }, 120_000);

    test("leaving the page stops the engine within 250 ms", async () => {
      writeModels();
      const service = await start();
      await ready(service, (await add(service, "gate.txt", "The gate is green.")).documentId);
      const controller = new AbortController();
      const response = await ask(service, FOREVER, controller.signal);
      const runId = response.headers.get("x-run-id") ?? "";
      const reader = response.body?.getReader();
      let text = "";
      while (!text.includes("text.delta")) text += new TextDecoder().decode((await reader?.read())?.value);
      const [engine = 0] = childrenOf(service.child.pid ?? 0);
      const before = processorTime(engine);
      // On a busy machine its turn comes late; what counts is that it works until the page is left.
      await expect.poll(() => processorTime(engine) - before, { timeout: 10_000 }).toBeGreaterThan(30);

      controller.abort();
      await new Promise((resolve) => setTimeout(resolve, 250));
      const left = processorTime(engine);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(processorTime(engine) - left).toBeLessThanOrEqual(40);
      expect(await read<Run>(service, `/api/v1/runs/${runId}`)).toMatchObject({ status: "cancelled" });
    }, 120_000);

    test("damaged model files are a clear error each, and the service lives", async () => {
      writeModels();
      for (const damage of ["truncated", "random-bytes", "inconsistent"] as const) {
        writeDamagedGguf(join(data, "models", `${damage}.gguf`), damage);
      }
      const service = await start();
      await ready(service, (await add(service, "gate.txt", "The gate is green.")).documentId);
      for (const damage of ["truncated", "random-bytes", "inconsistent"]) {
        const response = await ask(service, { model: `llamacpp/${damage}`, mode: "generate", stream: false });
        const body = (await response.json()) as Run & { code?: string; detail?: string };
        const problem = body.error ?? body;
        expect(problem.code).toMatch(/^model-/);
        expect(problem.detail?.length).toBeGreaterThan(20);
      }
      expect((await (await ask(service, STEADY)).json()) as Run).toMatchObject({ status: "completed" });
    }, 120_000);

    test("asked to stop, it ends answers and engine, and is gone", async () => {
      writeModels();
      const service = await start();
      await ready(service, (await add(service, "gate.txt", "The gate is green.")).documentId);
      const { all, begun } = listen(await ask(service, FOREVER));
      await begun();
      const engines = childrenOf(service.child.pid ?? 0);
      service.child.kill("SIGTERM");
      expect((await all).at(-1)?.event.type).toBe("run.cancelled");
      expect(await service.exited).toBe(0);
      expect(engines.filter(isAlive)).toEqual([]);
      expect(service.output()).not.toContain("bug");
    }, 120_000);

    test("what a plugin throws in a timer of its own is told, and ends no answer", async () => {
      writeModels();
      const late = `data:text/javascript,${encodeURIComponent(
        'process.on("SIGUSR2", () => { setTimeout(() => { throw null }); setTimeout(() => { throw new Error("thrown late") }, 20) })',
      )}`;
      const service = await startProcess({ ENGINEHOUSE_DATA_DIR: data, NODE_OPTIONS: `--import=${late}` });
      open.push(service);
      await ready(service, (await add(service, "gate.txt", "The gate is green.")).documentId);
      const { all, begun } = listen(await ask(service, { ...FOREVER, maxTokens: 60 }));
      await begun();
      service.child.kill("SIGUSR2");
      await until(() => service.output().includes("bug: thrown late"));
      expect((await all).at(-1)?.event.type).toBe("run.completed");
      expect((await (await ask(service, STEADY)).json()) as Run).toMatchObject({ status: "completed" });
    }, 120_000);

    test("a taken port is said so, and ends with 1", async () => {
      const taken = createServer().listen(0, "127.0.0.1");
      await once(taken, "listening");
      const address = taken.address();
      const port = typeof address === "object" && address !== null ? address.port : 0;
      const failed = startProcess({ ENGINEHOUSE_DATA_DIR: data, PORT: String(port) });
      await expect(failed).rejects.toThrow(`ended with 1: enginehouse: port ${port} of 127.0.0.1 is taken`);
      taken.close();
    });
  },
);
