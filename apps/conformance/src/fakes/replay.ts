import { existsSync, readdirSync, readFileSync } from "node:fs";

import type { Backend, FakeBackend } from "../backend.ts";
import type { Exchange } from "./http-fake.ts";
import { httpFake } from "./http-fake.ts";
import { readOllama } from "./ollama/read.ts";
import { wait } from "./waiting.ts";

/** One reply of a real server, recorded read by read. `fixtures/README.md` tells about each. */
export interface Fixture {
  readonly case: string;
  readonly note?: string | undefined;
  readonly server: { readonly name: string; readonly version: string };
  readonly request: {
    /** Left out: GET. */
    readonly method?: string | undefined;
    readonly path: string;
    readonly headers?: Readonly<Record<string, string>> | undefined;
    readonly body?: unknown;
    /** A body that is no JSON. */
    readonly raw?: string | undefined;
  };
  readonly response: {
    readonly status: number;
    readonly headersMs: number;
    readonly headers: Readonly<Record<string, string>>;
    readonly chunks: readonly FixtureChunk[];
  };
  /** Why the reply is not whole. */
  readonly faulty?: string | undefined;
}

export interface FixtureChunk {
  readonly ms: number;
  readonly data: string;
  readonly encoding?: "base64" | undefined;
}

export type FixtureFolder = "ollama" | "ollama-0.13" | "llama-server";

export interface ReplayOptions {
  /** By how much the recorded waits are stretched. Default 0: as fast as the network goes. */
  readonly slower?: number | undefined;
}

/** `ollama/chat-stream`, and all others of a folder. */
export const fixtureNames = (folder: FixtureFolder): readonly string[] =>
  readdirSync(new URL(`${folder}/`, fixtures()))
    .filter((file) => file.endsWith(".json"))
    .map((file) => `${folder}/${file.slice(0, -".json".length)}`)
    .toSorted();

export const readFixture = (name: string): Fixture =>
  JSON.parse(readFileSync(new URL(`${name}.json`, fixtures()), "utf8")) as Fixture;

/** The recorded body, whole. */
export const fixtureBody = (fixture: Fixture): string =>
  Buffer.concat(fixture.response.chunks.map(bytesOf)).toString("utf8");

/**
 * A server that answers with recorded bytes, read by read. Of several fixtures each answers the requests to its own
 * path, in turn, the last one for ever; other paths are not found.
 */
export const replayFixture = async (
  names: string | readonly string[],
  { slower = 0 }: ReplayOptions = {},
): Promise<Backend> => {
  const recorded = [names].flat().map(readFixture);
  const byPath = new Map<string, Fixture[]>();
  for (const fixture of recorded) {
    byPath.set(fixture.request.path, [...(byPath.get(fixture.request.path) ?? []), fixture]);
  }
  const fake: FakeBackend = httpFake({
    wire: "replay",
    cannot: {},
    read: readOllama,
    refuse: () => "",
    async answer(exchange) {
      const turns = byPath.get(exchange.path) ?? [];
      const fixture = turns.length > 1 ? turns.shift() : turns[0];
      if (fixture === undefined) return exchange.send(404, "404 page not found");
      await exchange.generate(() => replay(fixture, exchange, slower));
    },
  });
  const backend = await fake.start({ models: [] });
  const model = recorded.map((fixture) => Object(fixture.request.body) as { model?: unknown }).at(0)?.model;
  const name = typeof model === "string" ? model : "";
  return { ...backend, seen: backend.seen, models: { chat: name, embedding: name, rerank: name } };
};

const replay = async (fixture: Fixture, exchange: Exchange, slower: number): Promise<void> => {
  const { status, headers, headersMs, chunks } = fixture.response;
  const told = Object.entries(headers).filter(([name]) => !OWN_HEADERS.has(name));
  await wait(headersMs * slower, exchange.gone);
  const sink = exchange.open(status, Object.fromEntries(told));
  sink.begin();
  let now = headersMs;
  for (const [place, chunk] of chunks.entries()) {
    await wait((chunk.ms - now) * slower, exchange.gone);
    now = chunk.ms;
    const isLast = place === chunks.length - 1 && fixture.faulty === undefined;
    await (isLast ? sink.end(bytesOf(chunk)) : sink.write(bytesOf(chunk)));
    await new Promise((resolve) => setImmediate(resolve));
  }
  if (fixture.faulty === undefined) {
    if (chunks.length === 0) await sink.end(Buffer.alloc(0));
  } else if (fixture.faulty.startsWith("we ")) await wait("forever", exchange.gone);
  else exchange.cut("close");
};

/** The recorded texts were made anonymous, so that their lengths changed; the rest belongs to one connection. */
const OWN_HEADERS = new Set(["content-length", "connection", "transfer-encoding", "date", "keep-alive"]);

const bytesOf = (chunk: FixtureChunk): Buffer => Buffer.from(chunk.data, chunk.encoding ?? "utf8");

/** Beside the sources and beside the built files alike. */
const fixtures = (): URL => {
  const found = ["../../fixtures/", "../fixtures/", "../../../fixtures/"]
    .map((path) => new URL(path, import.meta.url))
    .find((url) => existsSync(new URL("README.md", url)));
  if (found === undefined) throw new Error("the fixtures are not beside the package");
  return found;
};
