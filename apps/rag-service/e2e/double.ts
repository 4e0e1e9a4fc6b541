/**
 * A double of the service for states of the page that a real one cannot be brought into on demand: a slow job, a
 * failing model, five hundred documents. It speaks the events of the API over real HTTP; what it says is scripted.
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join } from "node:path";

import type {
  CatalogueEntry,
  Citation,
  Document,
  Example,
  Job,
  Model,
  Problem,
  Run,
  RunEvent,
} from "../src/api/schemas.ts";
import { LEASE, MANUAL, paged } from "./double-texts.ts";

export interface Double {
  readonly url: string;
  /** What is there; a test may change it at any time. */
  readonly state: DoubleState;
  close(): Promise<void>;
}

export interface DoubleState {
  documents: Document[];
  readonly texts: Map<
    string,
    { text: string; pages: { page: number; charStart: number; charEnd: number }[] }
  >;
  jobs: Job[];
  examples: Example[];
  models: Model[];
  catalogue: CatalogueEntry[];
  /** Providers whose models could not be listed. */
  problems: Problem[];
  /** What the installed provider reads. */
  modelFormats: string[];
  runs: Map<string, Run>;
  /** How long the model takes for one word. */
  wordMs: number;
  /** The answer to every question. A part that starts with `!` is a sentence without support. */
  answer: readonly string[];
  /** Ends the answer after so many words with this problem. */
  breakAfter: { words: number; problem: Problem } | undefined;
}

const types: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
};
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
  "worker-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

export async function startDouble(publicFolder: string, port = 0): Promise<Double> {
  const state = firstState();
  const server = createServer((request, response) => {
    void handle(request, response).catch((error: unknown) => {
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const address = server.address() as AddressInfo;

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname } = new URL(request.url ?? "/", "http://double");
    response.setHeader("content-security-policy", POLICY);
    if (!pathname.startsWith("/api/")) return await sendFile(response, publicFolder, pathname);
    const route = `${request.method} ${pathname}`;
    const found = routes(state).find(([pattern]) => pattern.test(route));
    if (found === undefined) return sendProblem(response, problem(404, "not-found", `There is no ${route}.`));
    const [pattern, answer] = found;
    await answer(request, response, decodeURIComponent(pattern.exec(route)?.[1] ?? ""));
  }

  return {
    url: `http://127.0.0.1:${address.port}`,
    state,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

type Route = (request: IncomingMessage, response: ServerResponse, id: string) => Promise<void> | void;

function routes(state: DoubleState): readonly (readonly [RegExp, Route])[] {
  return [
    [
      /^GET \/api\/v1\/collections$/,
      (_, response) =>
        sendJson(response, {
          collections: [
            {
              id: "default",
              name: "Default",
              createdAt: now(),
              documents: state.documents.length,
              ready: state.documents.filter(({ versionId }) => versionId !== undefined).length,
              failed: state.documents.filter(({ status }) => status === "failed").length,
            },
          ],
        }),
    ],
    [
      /^GET \/api\/v1\/collections\/default\/documents$/,
      (_, response) =>
        sendJson(response, {
          documents: state.documents,
          total: state.documents.length,
          offset: 0,
          limit: 500,
        }),
    ],
    [
      /^POST \/api\/v1\/collections\/default\/documents$/,
      (request, response) => takeUpload(state, request, response),
    ],
    [
      /^DELETE \/api\/v1\/documents\/([^/]+)$/,
      (_, response, id) => {
        state.documents = state.documents.filter((document) => document.id !== id);
        sendJson(response, { deleted: 1, ids: [id] });
      },
    ],
    [
      /^GET \/api\/v1\/documents\/([^/]+)\/content$/,
      (_, response, id) => {
        const document = state.documents.find((each) => each.id === id);
        const content = state.texts.get(id);
        if (document === undefined || content === undefined) {
          return sendProblem(
            response,
            problem(404, "document-not-found", `There is no document "${id}".`, "It may have been deleted."),
          );
        }
        const { title, mediaType = "text/plain" } = document;
        sendJson(response, { documentId: id, versionId: "v1", title, mediaType, ...content });
      },
    ],
    [
      /^GET \/api\/v1\/documents\/([^/]+)\/chunks$/,
      (_, response, id) => {
        const text = state.texts.get(id)?.text ?? "";
        const headings = [...text.matchAll(/^\d+(?:\.\d+)? [A-Z][^.\n]{2,60}$/gm)].map((match) => match[0]);
        const chunks = headings.map((heading, index) => ({
          id: `${id}-${index}`,
          index,
          text: heading,
          charStart: 0,
          charEnd: 1,
          headingPath: [heading],
        }));
        sendJson(response, {
          documentId: id,
          versionId: "v1",
          chunks,
          total: chunks.length,
          offset: 0,
          limit: 100,
        });
      },
    ],
    [
      /^GET \/api\/v1\/documents\/([^/]+)$/,
      (_, response, id) => sendJson(response, state.documents.find((document) => document.id === id) ?? {}),
    ],
    [/^GET \/api\/v1\/jobs$/, (_, response) => sendJson(response, { jobs: state.jobs.toReversed() })],
    [/^GET \/api\/v1\/jobs\/events$/, (_, response) => sendJobs(state, response)],
    [
      /^POST \/api\/v1\/jobs\/(.+)\/retry$/,
      (_, response, id) => {
        state.jobs = state.jobs.map((job) => (job.id === id ? { ...job, status: "running" } : job));
        sendJson(response, state.jobs.find((job) => job.id === id) ?? {});
      },
    ],
    [
      /^DELETE \/api\/v1\/jobs\/(.+)$/,
      (_, response, id) => {
        state.jobs = state.jobs.map((job) => (job.id === id ? { ...job, status: "cancelled" } : job));
        sendJson(response, state.jobs.find((job) => job.id === id) ?? {});
      },
    ],
    [/^GET \/api\/v1\/examples$/, (_, response) => sendJson(response, { examples: state.examples })],
    [
      /^POST \/api\/v1\/examples$/,
      (_, response) => {
        state.examples = state.examples.map((example) => ({ ...example, documentId: example.id }));
        state.documents = [...firstState().documents];
        sendJson(response, { documentId: "manual", status: "queued", name: "", documents: [], refused: [] });
      },
    ],
    [
      /^GET \/api\/v1\/models$/,
      (_, response) => {
        const chat = state.models.find(({ task }) => task === "chat");
        sendJson(response, {
          models: state.models,
          catalogue: state.catalogue,
          active: chat && {
            providerId: chat.providerId,
            model: chat.model,
            ref: chat.ref,
            demonstration: chat.demonstration,
          },
          modelsFolder: "/home/you/.local/share/enginehouse/models",
          problems: state.problems,
        });
      },
    ],
    [
      /^GET \/api\/v1\/providers$/,
      (_, response) =>
        sendJson(response, {
          providers: [
            {
              id: "llamacpp",
              package: "@enginehouse/llm-provider-llamacpp",
              packageVersion: "0.1.0",
              operations: ["chat", "embed"],
              features: [],
              modelFormats: state.modelFormats,
              health: { status: "ok", checkedAt: now() },
            },
          ],
          diagnostics: [],
          configFile: "/home/you/.local/share/enginehouse/config.json",
        }),
    ],
    [
      /^POST \/api\/models\/download$/,
      async (request, response) => {
        const { model } = JSON.parse(await readBody(request)) as { model: string };
        const job = newJob({
          id: `job-${state.jobs.length}`,
          kind: "download",
          model,
          title: model,
          stage: "downloading",
          unit: "bytes",
        });
        state.jobs.push({ ...job, status: "running", done: 61_000_000, total: 145_000_000 });
        sendJson(response, { jobId: job.id, status: "queued" }, 202);
      },
    ],
    [/^PUT \/api\/v1\/settings\/active$/, (_, response) => sendJson(response, { order: [], resolved: [] })],
    [
      /^GET \/api\/v1\/runs$/,
      (_, response) => sendJson(response, { runs: [...state.runs.values()].toReversed() }),
    ],
    [/^POST \/api\/v1\/answer$/, (request, response) => answer(state, request, response)],
    [
      /^GET \/api\/v1\/runs\/([^/]+)$/,
      (_, response, id) => {
        const run = state.runs.get(id);
        if (run === undefined)
          return sendProblem(response, problem(404, "not-found", `There is no answer "${id}".`));
        sendJson(response, run);
      },
    ],
    [
      /^DELETE \/api\/v1\/runs\/([^/]+)$/,
      (_, response, id) => {
        const run = state.runs.get(id);
        if (run !== undefined) run.status = "cancelled";
        sendJson(response, run ?? {});
      },
    ],
  ];
}

/** Says what each job does, whenever that has changed. */
async function sendJobs(state: DoubleState, response: ServerResponse): Promise<void> {
  response.writeHead(200, { "content-type": "text/event-stream" });
  response.flushHeaders();
  const said = new Map<string, string>();
  while (!response.destroyed) {
    for (const job of state.jobs) {
      if (said.get(job.id) === JSON.stringify(job)) continue;
      said.set(job.id, JSON.stringify(job));
      const { stage, done, status } = job;
      const type = status === "queued" || status === "running" ? "progress" : status;
      response.write(
        `event: job.${type}\ndata: ${JSON.stringify({ type: `job.${type}`, stage, done, job })}\n\n`,
      );
    }
    await pause(30);
  }
}

async function takeUpload(
  state: DoubleState,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const body = await readBody(request);
  const name = /filename="([^"]+)"/.exec(body)?.[1] ?? "file.txt";
  const text = /\r\n\r\n([\s\S]*?)\r\n--/.exec(body)?.[1] ?? "";
  if (text.trim() === "") {
    const refusal = problem(422, "empty-file", `"${name}" is empty.`, "Choose a file with text in it.");
    return sendProblem(response, { ...refusal, title: "Nothing to read" });
  }
  const id = `document-${state.documents.length + 1}`;
  const job = newJob({
    id: `job-${id}`,
    kind: "ingest",
    title: name,
    documentId: id,
    stage: "extracting",
    unit: "pages",
  });
  state.jobs.push({ ...job, status: "running", done: 11, total: 40 });
  state.texts.set(id, { text, pages: [] });
  const document = newDocument(id, name, text.length);
  state.documents = [{ ...document, status: "processing", jobId: job.id }, ...state.documents];
  sendJson(
    response,
    {
      documentId: id,
      jobId: job.id,
      status: "queued",
      name,
      documents: [{ documentId: id, jobId: job.id, status: "queued", name }],
      refused: [],
    },
    202,
  );
}

async function answer(state: DoubleState, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const {
    question,
    mode = "auto",
    model,
  } = JSON.parse(await readBody(request)) as {
    question: string;
    mode?: Run["requestedMode"];
    model?: string;
  };
  if (model?.startsWith("nobody/")) {
    const unknown = problem(
      404,
      "model-not-found",
      `No provider is called "nobody".`,
      "Choose one of the installed models.",
    );
    return sendProblem(response, { ...unknown, title: "No such model" });
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  const runId = `run-${state.runs.size + 1}`;
  const quotes = citationsOf();
  const run: Run = {
    runId,
    status: "running",
    question,
    requestedMode: mode,
    mode: mode === "quote" ? "quote" : "generate",
    conversationId: "c1",
    answer: "",
    notices: [],
    citations: [],
    quotes: [],
    sentences: [],
    hits: [],
    timings: {},
    attempts: [],
    createdAt: now(),
    lastEventId: 0,
  };
  state.runs.set(runId, run);
  const send = (event: RunEvent) => {
    run.lastEventId++;
    response.write(`id: ${run.lastEventId}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`);
  };
  send({
    type: "run.started",
    runId,
    question,
    requestedMode: mode,
    conversationId: "c1",
    createdAt: run.createdAt,
  });
  run.hits = quotes.map((quote) => ({ ...quote, text: quote.quote }));
  run.quotes = quotes;
  run.retrievalMode = "hybrid";
  run.timings = { retrievalMs: 4.2 };
  await pause(state.wordMs * 2);
  send({
    type: "retrieval.completed",
    hits: run.hits,
    quotes,
    mode: "hybrid",
    coverage: 1,
    warnings: [],
    retrievalMs: 4.2,
  });
  if (mode === "quote") return finish();
  const context = {
    window: 2048,
    used: 868,
    reserved: 400,
    counted: "model" as const,
    sources: quotes.slice(0, 2).map(({ n, chunkId, documentId, title }) => ({
      n,
      chunkId,
      documentId,
      title,
      form: "window" as const,
      tokens: 380,
    })),
    dropped: quotes
      .slice(2)
      .map(({ chunkId, documentId, title }) => ({ chunkId, documentId, title, reason: "It did not fit." })),
    droppedTurns: 0,
    messages: [
      { role: "system", text: "Answer from the numbered passages only. Cite them as [n]." },
      { role: "user", text: `[1] ${quotes[0]?.quote}\n\n[2] ${quotes[1]?.quote}\n\nQuestion: ${question}` },
    ],
  };
  run.context = context;
  send({ type: "context.budget", context });
  send({
    type: "attempt.started",
    attempt: 1,
    providerId: "llamacpp",
    model: "reference-chat",
    demonstration: true,
  });
  send({ type: "attempt.status", attempt: 1, state: "prefill" });
  run.attempts = [
    { attempt: 1, providerId: "llamacpp", model: "reference-chat", demonstration: true, status: "running" },
  ];
  await pause(state.wordMs * 6);
  let words = 0;
  for (const [index, part] of state.answer.entries()) {
    const supported = !part.startsWith("!");
    const text = supported ? part : part.slice(1);
    const start = run.answer.length;
    for (const word of text.match(/\S+\s*|\s+/g) ?? []) {
      if (response.destroyed || run.status === "cancelled") return finish();
      if (state.breakAfter !== undefined && ++words > state.breakAfter.words)
        return finish(state.breakAfter.problem);
      send({ type: "text.delta", text: word });
      run.answer += word;
      await pause(state.wordMs);
    }
    const citation = quotes[index % quotes.length];
    const sentence = {
      start,
      end: run.answer.length,
      supported,
      markers: [],
      citations: supported ? [citation?.n ?? 1] : [],
    };
    if (supported && citation !== undefined) {
      const cited = { ...citation, answerStart: start, answerEnd: run.answer.length };
      run.citations.push(cited);
      send({ type: "citation", citation: cited });
    }
    run.sentences.push(sentence);
    send({ type: "sentence", ...sentence });
  }
  run.usage = { inputTokens: 868, outputTokens: 56 };
  send({ type: "usage", usage: run.usage });
  run.timings = { ...run.timings, timeToFirstTokenMs: 312, tokensPerSecond: 41.3, totalMs: 1840 };
  run.model = {
    providerId: "llamacpp",
    model: "reference-chat",
    ref: "llamacpp/reference-chat",
    demonstration: true,
  };
  send({
    type: "metrics",
    providerId: "llamacpp",
    model: "reference-chat",
    demonstration: true,
    timings: run.timings,
  });
  finish();

  function finish(error?: Problem): void {
    if (run.status === "running") run.status = error === undefined ? "completed" : "failed";
    const words = {
      completed: "answered",
      running: "running",
      failed: "failed",
      cancelled: "cancelled",
    } as const;
    const status = words[run.status];
    run.attempts = run.attempts.map((attempt) => ({ ...attempt, status, durationMs: 1840 }));
    if (error !== undefined) send({ type: "run.error", error, run: { ...run, error } });
    else send({ type: run.status === "cancelled" ? "run.cancelled" : "run.completed", run });
    response.end();
  }
}

export function firstState(): DoubleState {
  const manual = paged(MANUAL);
  return {
    documents: [
      {
        ...newDocument("manual", "harbour-crane-manual.pdf", 412_000),
        title: "Harbour crane HC-40: operating manual",
        pages: 4,
        mediaType: "application/pdf",
      },
      {
        ...newDocument("lease", "lease.md", 3_900),
        title: "Lease of the north quay",
        mediaType: "text/markdown",
      },
    ],
    texts: new Map([
      ["manual", manual],
      ["lease", { text: LEASE, pages: [] }],
    ]),
    jobs: [],
    examples: [
      {
        id: "manual",
        title: "Harbour crane HC-40: operating manual",
        description: "A short manual with figures, limits and intervals.",
        mediaType: "application/pdf",
        bytes: 412_000,
        questions: ["How often must the slewing ring be greased?", "At which wind speed does work stop?"],
        documentId: "manual",
      },
      {
        id: "lease",
        title: "Lease of the north quay",
        description: "A contract: terms, notice, rent.",
        mediaType: "text/markdown",
        bytes: 3_900,
        questions: ["When may the tenant give notice?"],
        documentId: "lease",
      },
    ],
    models: [
      newModel("reference-chat", {
        task: "chat",
        bytes: 6_300_000,
        contextWindow: 2048,
        demonstration: true,
        loaded: true,
      }),
      newModel("reference-embedder", {
        task: "embedding",
        bytes: 7_100_000,
        dimensions: 256,
        demonstration: true,
      }),
    ],
    catalogue: [
      {
        model: "hf:example/smollm2-1.7b",
        backend: "llamacpp",
        name: "SmolLM2 1.7B Instruct",
        task: "chat",
        bytes: 1_060_000_000,
        contextWindow: 8192,
        license: "Apache-2.0",
        note: "A good start on most computers: 2 GB of free memory.",
        installed: false,
        recommended: true,
      },
      {
        model: "hf:example/qwen3-4b",
        backend: "llamacpp",
        name: "Qwen3 4B",
        task: "chat",
        bytes: 2_500_000_000,
        contextWindow: 40960,
        license: "Apache-2.0",
        note: "Better answers in many languages; wants 5 GB of free memory.",
        installed: false,
      },
      {
        model: "hf:example/smollm2-135m",
        backend: "llamacpp",
        name: "SmolLM2 135M Instruct",
        task: "chat",
        bytes: 145_000_000,
        contextWindow: 8192,
        license: "Apache-2.0",
        note: "Very small: fast everywhere, often wrong.",
        installed: false,
      },
    ],
    problems: [],
    modelFormats: ["gguf"],
    runs: new Map(),
    wordMs: 12,
    answer: [
      "The slewing ring is greased every 250 hours of work, with the crane turning slowly through one full circle. ",
      "In salt air the interval is **halved**, so plan on 125 hours. ",
      "!Most operators do this on Mondays.",
    ],
    breakAfter: undefined,
  };
}

export function newDocument(id: string, name: string, size: number): Document {
  const title = name.replace(/\.[a-z]+$/, "");
  const at = new Date(Date.now() - 3 * 3600_000).toISOString();
  return {
    id,
    collectionId: "default",
    versionId: "v1",
    name,
    title,
    mediaType: "text/plain",
    bytes: size,
    status: "ready",
    createdAt: at,
    updatedAt: at,
  };
}

export function newJob(known: Pick<Job, "id" | "kind" | "title" | "stage"> & Partial<Job>): Job {
  return { status: "queued", done: 0, createdAt: now(), updatedAt: now(), ...known };
}

export function problem(status: number, code: string, detail: string, hint?: string): Problem {
  return {
    type: "about:blank",
    title: "There is nothing here",
    status,
    code,
    detail,
    ...(hint === undefined ? {} : { hint }),
  };
}

function newModel(model: string, known: Partial<Model>): Model {
  return {
    ref: `llamacpp/${model}`,
    providerId: "llamacpp",
    model,
    name: model,
    task: "chat",
    installed: true,
    demonstration: false,
    license: "Apache-2.0",
    quantization: "Q8_0",
    ...known,
  };
}

function citationsOf(): Citation[] {
  const manual = paged(MANUAL).text;
  const wanted = [
    [
      "manual",
      "Grease the slewing ring every 250 hours of work, turning the crane slowly through one full circle.",
      2,
      ["3 Maintenance", "3.2 Slewing ring"],
    ],
    ["manual", "In salt air halve every interval of this chapter.", 3, ["3 Maintenance"]],
    [
      "lease",
      "The tenant keeps the quay clear of grease and oil and bears the cost of any cleaning.",
      undefined,
      ["4 Duties of the tenant"],
    ],
    [
      "manual",
      "Stop all work when the wind at the jib head exceeds 16 m/s for longer than one minute.",
      1,
      ["2 Limits"],
    ],
  ] as const;
  return wanted.map(([documentId, quote, page, headingPath], index) => {
    const charStart = (documentId === "manual" ? manual : LEASE).indexOf(quote);
    return {
      n: index + 1,
      documentId,
      versionId: "v1",
      collectionId: "default",
      name: documentId === "manual" ? "harbour-crane-manual.pdf" : "lease.md",
      title: documentId === "manual" ? "Harbour crane HC-40: operating manual" : "Lease of the north quay",
      chunkId: `${documentId}-${index}`,
      ...(page === undefined ? {} : { page }),
      charStart,
      charEnd: charStart + quote.length,
      quote,
      score: { fused: 0.92 - index * 0.17, lexical: 0.9 - index * 0.2, dense: 0.71 - index * 0.1 },
      headingPath: [...headingPath],
    };
  });
}

async function sendFile(response: ServerResponse, folder: string, pathname: string): Promise<void> {
  const path = extname(pathname) === "" ? "/index.html" : pathname;
  const body = await readFile(join(folder, path)).catch(() => undefined);
  if (body === undefined) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { "content-type": types[extname(path)] ?? "application/octet-stream" }).end(body);
}

function sendJson(response: ServerResponse, body: unknown, status = 200): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function sendProblem(response: ServerResponse, body: Problem): void {
  response.writeHead(body.status, { "content-type": "application/problem+json" }).end(JSON.stringify(body));
}

async function readBody(request: IncomingMessage): Promise<string> {
  let body = "";
  for await (const piece of request.setEncoding("utf8")) body += String(piece);
  return body;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function now(): string {
  return new Date().toISOString();
}
