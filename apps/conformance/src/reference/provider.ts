import type { IncomingMessage } from "node:http";

import {
  type CallOptions,
  type ChatRequest,
  type EventBatch,
  fromBatches,
  type Host,
  isLlmError,
  LlmError,
  type PartialAnswer,
  type Provider,
  type Warning,
  withDetails,
} from "@enginehouse/llm-core";

import type { Clock } from "./clock.ts";
import { unknownKeywords } from "./json-schema.ts";
import { createModels } from "./models.ts";
import { type Parts, PARTS } from "./parts.ts";
import type { ReferenceSettings } from "./settings.ts";
import { finalFault, type Wire } from "./wire-call.ts";
import type { PlainLine } from "./wire.ts";

/** A provider for the plain wire: it keeps every promise, with no library but the core. */
export function createReference(
  settings: ReferenceSettings,
  host: Host,
  parts: Parts = PARTS,
): Required<Provider> {
  const connections = parts.createConnections();
  const windows = new Map<string, number>();
  const places = parts.createPlaces(settings.parallel ?? Number.POSITIVE_INFINITY);

  const send = async (
    method: string,
    path: string,
    body: unknown,
    clock: Clock,
  ): Promise<IncomingMessage> => {
    const reply = await connections.send(
      {
        url: parts.addressOf(settings) + path,
        method,
        headers: {
          ...(body !== undefined && { "content-type": "application/json" }),
          ...parts.headersOf(settings),
        },
        body: body === undefined ? undefined : JSON.stringify(body),
      },
      clock,
    );
    const status = reply.statusCode ?? 0;
    if (status < 300) return reply;
    throw parts.refusalOf(status, reply.headers, await textOf(reply, clock));
  };

  const wire: Wire = {
    async json(method, path, body, options = {}) {
      const clock = parts.createClock(options);
      try {
        const text = await textOf(await send(method, path, body, clock), clock);
        return text === "" ? undefined : JSON.parse(text);
      } catch (error) {
        throw finalFault(error, clock, parts, false);
      } finally {
        clock.end();
      }
    },
    async *lines(path, body, clock, told) {
      const lines = parts.createLines();
      for await (const bytes of reads(await send("POST", path, body, clock), clock)) {
        told.begun = true;
        yield lines.add(bytes).map((line) => parts.parseLine(line) as PlainLine);
      }
      const rest = lines.end().map((line) => parts.parseLine(line) as PlainLine);
      if (rest.length > 0) yield rest;
    },
  };

  async function* answer(request: ChatRequest, options: CallOptions = {}): AsyncGenerator<EventBatch> {
    const clock = parts.createClock(options);
    const contextWindow = windows.get(request.model) ?? settings.contextWindow;
    const decoder = parts.createDecoder(request, parts, contextWindow);
    const told = { begun: false };
    let leave: (() => void) | undefined;
    try {
      yield decoder.start(warningsFor(request));
      leave = await places.enter(clock.signal);
      for await (const lines of wire.lines(
        "/chat",
        parts.encodeChat(request, { ...settings, contextWindow }),
        clock,
        told,
      )) {
        const events = lines.flatMap((line) => decoder.add(line));
        if (events.length > 0) yield events;
      }
      const last = decoder.end();
      if (last.length > 0) yield last;
    } catch (error) {
      throw withPartial(finalFault(error, clock, parts, told.begun), decoder.partial());
    } finally {
      leave?.();
      clock.end();
    }
  }

  return {
    name: host.name,
    stream: (request, options) => fromBatches(() => answer(request, options)),
    ...createModels(wire, settings, parts, windows),
    close: async () => connections.close(),
  };
}

/** What this wire cannot pass on of a request is said, or refused. */
function warningsFor({ responseFormat, unsupported }: ChatRequest): readonly Warning[] {
  if (responseFormat?.type !== "json") return [];
  const words = [...new Set(unknownKeywords(responseFormat.schema))];
  if (words.length === 0) return [];
  const message = `the schema's ${words.join(", ")} is not looked at here`;
  if (unsupported === "warn") return [{ code: "unsupported", option: "responseFormat", message }];
  throw new LlmError("unsupported", message, { hint: 'leave it out, or set unsupported to "warn"' });
}

/** Bytes of a reply, with the clock running while they are awaited. Leaving destroys the reply. */
async function* reads(reply: IncomingMessage, clock: Clock): AsyncGenerator<Uint8Array> {
  const stop = (): void => void reply.destroy();
  clock.signal.addEventListener("abort", stop, { once: true });
  if (clock.signal.aborted) stop();
  try {
    clock.waiting();
    for await (const bytes of reply) {
      clock.arrived();
      yield bytes as Uint8Array;
      clock.waiting();
    }
  } finally {
    clock.signal.removeEventListener("abort", stop);
    reply.destroy();
  }
}

async function textOf(reply: IncomingMessage, clock: Clock): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const bytes of reads(reply, clock)) text += decoder.decode(bytes, { stream: true });
  return text + decoder.decode();
}

/** What had arrived goes with the error. */
function withPartial(error: unknown, partial: PartialAnswer | undefined): unknown {
  return isLlmError(error) ? withDetails(error, { partial }) : error;
}
