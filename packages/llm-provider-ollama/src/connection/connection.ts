import { type CallOptions, LlmError } from "@enginehouse/llm-core";
import { callLines, createHttpTransport, type Endpoint, type WireCall } from "@enginehouse/llm-wire";
import type { Ollama } from "ollama";

import { readErrorLine, readFault, withAdvice } from "../errors.ts";
import type { Configured } from "../settings.ts";
import { isRecord } from "../wire.ts";

/** One server, and how it is asked. */
export interface Connection {
  readonly endpoint: Endpoint;
  readonly local: boolean;
  /** For an answer that is written: what stands in front of a server may close a kept connection after a stream without a word, and the next request would be lost. Without TLS one of its own costs next to nothing. */
  readonly ownConnection: Readonly<Record<string, string>>;
  /** One of the SDK's calls that is no stream. It gives routes, bodies and types; the bytes are ours: signal, deadlines, faults. */
  ask<Reply>(
    call: (sdk: Ollama) => Promise<Reply>,
    options: CallOptions | undefined,
    about?: string,
  ): Promise<Reply>;
  /** The call with what every call has: how faults are read, with the model that it is about. */
  wireCall(
    path: string,
    options: CallOptions | undefined,
    model: string | undefined,
    body?: unknown,
  ): WireCall;
  /** Gives a fault of this connection what to do about it. */
  advise(error: unknown): unknown;
  close(): void;
}

export function createConnection({ baseUrl, local, headers }: Configured): Connection {
  const transport = createHttpTransport();
  const endpoint: Endpoint = { baseUrl, headers, fetch: transport };
  const advise = (error: unknown): unknown => withAdvice(error, local);

  const wireCall: Connection["wireCall"] = (path, options, model, body) => ({
    ...options,
    path,
    body,
    readFault: (status, text) => readFault(status, text, { model, path }),
  });

  return {
    endpoint,
    local,
    ownConnection: baseUrl.startsWith("http:") ? { connection: "close" } : {},
    wireCall,
    advise,
    async ask(call, options, about) {
      const { Ollama } = await import("ollama");
      options?.signal?.throwIfAborted();
      // The SDK sees replies that are whole and good: of any other it would write to the console.
      const fetchWhole = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
        const { pathname } = new URL(String(input));
        const body: unknown = typeof init.body === "string" ? JSON.parse(init.body) : undefined;
        const wire = { ...wireCall(pathname, options, about, body), method: init.method ?? "GET" };
        const lines: string[] = [];
        for await (const some of callLines(endpoint, wire)) lines.push(...some);
        return {
          ok: true,
          status: 200,
          json: async () => parse(lines.join("\n"), pathname, about),
        } as Response;
      };
      try {
        // The host is only a place for the path to hang on: the endpoint has the address and the key.
        return await call(new Ollama({ host: "http://ollama", fetch: fetchWhole as typeof fetch }));
      } catch (error) {
        throw advise(error);
      }
    },
    close: () => transport.close(),
  };
}

function parse(text: string, path: string, model: string | undefined): unknown {
  const value = valueOf(text, path);
  // An error with status 200, as it also comes in a stream.
  const error = isRecord(value) ? (value["error"] ?? undefined) : undefined;
  if (error !== undefined) throw readErrorLine(error, { model, path }, { phase: "request" });
  return value;
}

function valueOf(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new LlmError("invalid-response", `${path} was answered with something that is not JSON`, {
      cause,
      hint: "is this the address of an Ollama server?",
    });
  }
}
