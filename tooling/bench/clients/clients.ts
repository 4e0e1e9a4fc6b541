/** One streamed chat; `onText` may answer with a promise to be slow, or with `false` to leave. */
export interface Run {
  readonly base: string;
  readonly model: string;
  readonly signal?: AbortSignal | undefined;
  readonly onText: (text: string) => Promise<void> | false | undefined;
}

export interface Client {
  readonly dialect: "ndjson" | "sse";
  /** The hand-written client that it is held against. */
  readonly against: string;
  /** Imports what is needed. */
  readonly setup: () => Promise<(run: Run) => Promise<void>>;
}

const floor = async (
  name: "viaFetch" | "viaHttp",
  dialect: Client["dialect"],
): Promise<(run: Run) => Promise<void>> => {
  const { [name]: make } = await import("./floor.ts");
  return make(dialect);
};
const ours = async (
  transport: "fetch" | "http",
  dialect: Client["dialect"],
): Promise<(run: Run) => Promise<void>> => {
  const { createOurs } = await import("./ours.ts");
  return createOurs(transport, dialect);
};

const pair = (dialect: Client["dialect"]): Record<string, Client> => ({
  [`raw-${dialect}`]: { dialect, against: `raw-${dialect}`, setup: () => floor("viaFetch", dialect) },
  [`http-${dialect}`]: { dialect, against: `raw-${dialect}`, setup: () => floor("viaHttp", dialect) },
  [`ours-fetch-${dialect}`]: { dialect, against: `raw-${dialect}`, setup: () => ours("fetch", dialect) },
  [`ours-http-${dialect}`]: { dialect, against: `raw-${dialect}`, setup: () => ours("http", dialect) },
});

/** `raw` is fetch, a reader and a parser by hand; `http` the same parser on node:http; `ours` a provider over llm-wire. */
export const CLIENTS: Record<string, Client> = { ...pair("ndjson"), ...pair("sse") };
