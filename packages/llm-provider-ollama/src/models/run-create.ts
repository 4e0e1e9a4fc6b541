import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import type { IncomingMessage } from "node:http";
import { pipeline } from "node:stream/promises";

import {
  type CallOptions,
  DEFAULT_TIMEOUTS,
  isLlmError,
  type JsonObject,
  LlmError,
  type LlmErrorInit,
  toLlmError,
} from "@enginehouse/llm-core";
import { callLines, statusFault, transportFault } from "@enginehouse/llm-wire";

import { type Connection, createConnection } from "../connection/connection.ts";
import { readErrorLine, readFault } from "../errors.ts";
import type { Configured } from "../settings.ts";
import { isRecord } from "../wire.ts";
import type { CreateModelRequest, CreateProgress } from "./create.ts";
import { modelfileOf } from "./modelfile.ts";

const KNOWN: LlmErrorInit = { provider: "ollama", operation: "create" };

export async function* runCreate(
  configured: Configured,
  request: CreateModelRequest,
  options: CallOptions = {},
): AsyncGenerator<CreateProgress, void, undefined> {
  const { file } = request;
  const connection = createConnection(configured);
  // Leaving the loop cancels as the signal does.
  const leaving = new AbortController();
  const signal =
    options.signal === undefined ? leaving.signal : AbortSignal.any([options.signal, leaving.signal]);
  const all: CallOptions = { ...options, signal };
  try {
    const { size } = await stat(file).catch((cause: unknown) => {
      throw new LlmError("invalid-request", `there is no file ${file}`, { ...KNOWN, cause });
    });
    yield { status: "hashing", fraction: 0 };
    const digest = `sha256:${await hashOf(file, signal)}`;
    yield { status: "hashing", fraction: 1 };
    if (!(await hasBlob(connection, digest, all))) {
      yield { status: "uploading", fraction: 0 };
      await upload(connection, digest, { file, size }, all);
      yield { status: "uploading", fraction: 1 };
    }
    yield* assemble(connection, request, digest, { ...options, signal });
  } catch (error) {
    if (options.signal?.aborted === true) throw aborted(options.signal);
    throw toLlmError(connection.advise(error), "invalid-request", KNOWN);
  } finally {
    leaving.abort();
    connection.close();
  }
}

/** The server puts the model together from what it has been sent. */
async function* assemble(
  connection: Connection,
  request: CreateModelRequest,
  digest: string,
  options: CallOptions,
): AsyncGenerator<CreateProgress, void, undefined> {
  const { model, file: _, ...fields } = request;
  const own = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const whole = { model, stream: true, files: { "model.gguf": digest }, ...own };
  try {
    yield* create(connection, model, whole, options);
  } catch (error) {
    if (!isLlmError(error) || !/path or modelfile are required/i.test(error.message)) throw error;
    const { quantize } = request;
    const old = { model, stream: true, modelfile: modelfileOf(request, digest) };
    yield* create(connection, model, { ...old, ...(quantize !== undefined && { quantize }) }, options);
  }
}

async function* create(
  connection: Connection,
  model: string,
  body: JsonObject,
  options: CallOptions,
): AsyncGenerator<CreateProgress, void, undefined> {
  // Quantizing a large file takes its time in silence.
  const timeouts = { firstEvent: Number.POSITIVE_INFINITY, idle: Number.POSITIVE_INFINITY };
  const patient = { ...options, timeouts: { ...timeouts, ...options.timeouts } };
  const call = connection.wireCall("/api/create", patient, model, body);
  for await (const lines of callLines(connection.endpoint, call)) {
    for (const text of lines) {
      const line = readLine(text);
      if (line["error"] !== undefined)
        throw readErrorLine(line["error"], { model, path: "/api/create" }, KNOWN);
      const { status } = line;
      if (status === "success") {
        yield { status: "done", fraction: 1 };
        return;
      }
      yield { status: "creating", ...(typeof status === "string" && { message: status }) };
    }
  }
  throw new LlmError("stream-interrupted", "the server stopped before the model was made", KNOWN);
}

function readLine(text: string): Record<string, unknown> {
  let line: unknown;
  let cause: unknown;
  try {
    line = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  if (isRecord(line)) return line;
  const hint = "is this the address of an Ollama server?";
  throw new LlmError("invalid-response", "Ollama sent a line that is no JSON object", {
    ...KNOWN,
    cause,
    hint,
  });
}

const aborted = (signal: AbortSignal): LlmError =>
  new LlmError("aborted", "the creation was cancelled by its caller", { ...KNOWN, cause: signal.reason });

async function hashOf(file: string, signal: AbortSignal): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash, { signal });
  return hash.digest("hex");
}

async function hasBlob(connection: Connection, digest: string, options: CallOptions): Promise<boolean> {
  try {
    const call = connection.wireCall(`/api/blobs/${digest}`, options, undefined);
    // Without a body: the status is all that there is to read.
    await callLines(connection.endpoint, { ...call, method: "HEAD" }).next();
    return true;
  } catch (error) {
    if (error instanceof Error && "status" in error && error.status === 404) return false;
    throw error;
  }
}

/** By node:http, as a file of many gigabytes must not be in memory as a whole. */
async function upload(
  { endpoint }: Connection,
  digest: string,
  { file, size }: { readonly file: string; readonly size: number },
  { signal, timeouts }: CallOptions,
): Promise<void> {
  const url = new URL(`${endpoint.baseUrl}/api/blobs/${digest}`);
  const { request } = url.protocol === "https:" ? await import("node:https") : await import("node:http");
  const headers = {
    ...endpoint.headers,
    "content-type": "application/octet-stream",
    "content-length": size,
  };
  const outgoing = request(url, {
    method: "POST",
    headers,
    agent: false,
    ...(signal !== undefined && { signal }),
  });
  const idle = timeouts?.idle ?? DEFAULT_TIMEOUTS.idle;
  // Neither are bytes taken nor is anything said: the clock of a socket counts both.
  if (idle < LONGEST_TIMER) outgoing.setTimeout(idle, () => outgoing.destroy(standsStill(idle)));
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once("response", resolve);
    outgoing.once("error", reject);
  });
  try {
    // The server may refuse before it has read all: then its answer counts, not the broken pipe.
    const [message] = await Promise.all([
      answered,
      pipeline(createReadStream(file), outgoing, signal === undefined ? {} : { signal }).catch(
        (error: unknown) => {
          if (signal?.aborted === true) throw error;
        },
      ),
    ]);
    const parts: Buffer[] = [];
    for await (const part of message) parts.push(part as Buffer);
    const status = message.statusCode ?? 0;
    if (status < 300) return;
    const body = Buffer.concat(parts).toString();
    throw (
      readFault(status, body, { path: "/api/blobs" }) ??
      statusFault(status, new Headers(), body, url.origin + url.pathname)
    );
  } catch (error) {
    outgoing.destroy();
    throw transportFault(error, url.origin + url.pathname, false);
  }
}

const standsStill = (ms: number): LlmError =>
  new LlmError("timeout", `the upload stood still for ${ms / 1_000} s`, {
    phase: "request",
    hint: "look into the server's log, or raise timeouts.idle",
  });

/** The most milliseconds that a timer holds. */
const LONGEST_TIMER = 2 ** 31;
