import type { CallOptions, ContextReport, Usage } from "@enginehouse/llm-core";

import type { ModelStore } from "../models.ts";
import { keyOf } from "../models/name.ts";
import type { Connection } from "./connection.ts";
import { isAtLeast } from "./version.ts";

/** What is known of the server beyond what it says in its answers. Learned once, beside the first answer of a model. */
export interface Facts {
  /** The server's version, or `undefined` where it does not tell. Never rejects. */
  version(): Promise<string | undefined>;
  sawVersion(version: string): void;
  /** Whether there is nothing to learn for an answer of this model. */
  complete(model: string): boolean;
  /** Looks up what is missing. Never rejects, and takes no longer than `LIMIT`. */
  learn(model: string): Promise<void>;
  contextOf(model: string, usage: Usage): ContextReport;
  /** The window in force was told. */
  remember(model: string, window: number | undefined): void;
  /** The model may be another one now, or none. */
  forget(model: string): void;
  /** The server refused what did not fit: it heeds `truncate`. */
  sawRefusal(): void;
  /** Ends what is being asked. */
  close(): void;
}

/** From here on `truncate: false` is known to be heeded: it was measured. Older servers cut in silence. */
const HEEDS_TRUNCATE = "0.13.0";

/** Tokens that Ollama keeps at the head of a prompt that it cuts. */
const KEPT = 4;

/** An answer is not held back longer than this, in milliseconds, for what is only told with it. */
const LIMIT = 1_000;

export function createFacts(connection: Connection, models: ModelStore): Facts {
  const closing = new AbortController();
  const bounded: CallOptions = { signal: closing.signal, timeouts: LIMITS };
  let version: string | undefined;
  let asked = false;
  let asking: Promise<void> | undefined;
  let refuses = false;
  const windows = new Map<string, number | undefined>();
  /** What is being asked, by model: calls that begin together share the question, and none of them can break it off. */
  const looking = new Map<string, Promise<void>>();

  const askVersion = (): Promise<void> =>
    (asking ??= connection
      .ask((sdk) => sdk.version(), bounded)
      .then(
        (reply) => {
          if (typeof reply.version === "string") version = reply.version;
        },
        // Whatever is wrong, the call itself will say it.
        () => undefined,
      )
      .finally(() => {
        asked = true;
        asking = undefined;
      }));

  const askWindow = (model: string): Promise<void> => {
    const already = looking.get(keyOf(model));
    if (already !== undefined) return already;
    const look = models
      .windowInForce(model, bounded)
      .then(
        (window) => void windows.set(keyOf(model), window),
        () => void windows.set(keyOf(model), undefined),
      )
      .finally(() => looking.delete(keyOf(model)));
    looking.set(keyOf(model), look);
    return look;
  };

  return {
    async version() {
      if (version === undefined) await askVersion();
      return version;
    },
    sawVersion(told) {
      version = told;
      asked = true;
    },
    complete: (model) => asked && windows.has(keyOf(model)),
    async learn(model) {
      await Promise.all([
        asked ? undefined : askVersion(),
        windows.has(keyOf(model)) ? undefined : askWindow(model),
      ]);
    },
    contextOf(model, usage) {
      const window = windows.get(keyOf(model));
      const known = refuses || (version !== undefined && isAtLeast(version, HEEDS_TRUNCATE));
      return {
        window,
        promptTokens: usage.inputTokens,
        truncated: known ? "no" : cutOf(usage, window),
      };
    },
    remember(model, window) {
      windows.set(keyOf(model), window);
    },
    forget: (model) => void windows.delete(keyOf(model)),
    sawRefusal() {
      refuses = true;
    },
    close: () => closing.abort(),
  };
}

/**
 * A server that heeds no `truncate` says nothing of a cut; a count that is what a cut leaves betrays it. Any other count
 * proves nothing: whole turns may have been dropped before.
 */
function cutOf({ inputTokens, outputTokens }: Usage, window: number | undefined): ContextReport["truncated"] {
  if (window === undefined || inputTokens === undefined) return "unknown";
  const half = window - Math.floor((window - KEPT) / 2);
  const shifted = inputTokens + (outputTokens ?? 0) > window;
  return shifted || inputTokens === window || inputTokens === half ? "yes" : "unknown";
}

const LIMITS = { connect: LIMIT, firstEvent: LIMIT, idle: LIMIT, total: LIMIT };
