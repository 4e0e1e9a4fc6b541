import { LlmError, type ModelCapabilities } from "@enginehouse/llm-core";

import { PARTS } from "../reference/parts.ts";
import { createSharing, type Sharing } from "../reference/sharing.ts";
import { inside, isCode, mutant, outside, part, sent } from "./making.ts";
import type { Mutant } from "./mutant.ts";

const entry = (name: string): { readonly module: URL } => ({
  module: new URL(`entries/${name}.ts`, import.meta.url),
});

export const LIFECYCLE_MUTANTS: readonly Mutant[] = [
  mutant(
    "M24",
    "begins again at 0 with every layer",
    outside(({ pullModel }) => ({
      async *pullModel(...given) {
        let before = 0;
        for await (const progress of pullModel(...given)) {
          const { fraction = 0, status } = progress;
          if (fraction >= 0.5 && before < 0.5) yield { ...progress, fraction: 0 };
          before = fraction;
          yield status === "done" ? progress : { ...progress, fraction: (fraction * 2) % 1 };
        }
      },
    })),
    { L06: /the fraction fell from/ },
  ),
  mutant(
    "M25",
    "fetches a model that a chat asks for and that is not there",
    inside(({ stream, pullModel }) => ({
      async *stream(request, options) {
        let began = false;
        try {
          for await (const event of stream(request, options)) {
            began = true;
            yield event;
          }
        } catch (error) {
          if (!isCode(error, "model-not-found")) throw error;
          for await (const progress of pullModel({ model: request.model }, options)) {
            if (progress.status === "done") break;
          }
          for await (const event of stream(request, options))
            if (!began || event.type !== "start") yield event;
        }
      },
    })),
    { L05: /expected model-not-found or model-not-installed, seen an answer/ },
  ),
  mutant(
    "M26",
    "sends the time to keep a model with loads only",
    sent(({ keepAliveMs: _, ...body }) => body),
    { K02: /keepAlive was asked for and dropped/, L12: /chat with keepAlive 90000: the backend saw none/ },
  ),
  mutant(
    "M27",
    "throws when it is asked for the health of a backend that is down",
    outside(({ health }) => ({
      async health(options) {
        const told = await health(options);
        if (told.status !== "down") return told;
        throw new LlmError("unavailable", told.message ?? "the backend is down");
      },
    })),
    { L01: /health rejected/, L02: /health rejected/, L17: /health rejected/ },
  ),
  mutant("M28", "leaves a timer after close", entry("leaves-a-timer"), {
    L14: /after close\(\): Timeout/,
    L15: /what keeps it: Timeout/,
  }),
  mutant("M181", "leaves a child process after close", entry("leaves-a-child"), {
    L14: /after close\(\): ProcessWrap/,
    L15: /what keeps it: ProcessWrap/,
  }),
  mutant("M182", "leaves something that ends by itself, later", entry("lingers"), {
    L14: /after close\(\): Timeout/,
  }),
  mutant(
    "M50",
    "stops the backend before it lets go of running calls",
    outside(({ stream, unloadModel, close }) => {
      const used = new Set<string>();
      let closing: Promise<void> | undefined;
      const stop = async (): Promise<void> => {
        await Promise.allSettled([...used].map((model) => unloadModel(model)));
        return close();
      };
      return {
        stream(request, options) {
          used.add(request.model);
          return stream(request, options);
        },
        close: () => (closing ??= stop()),
      };
    }),
    { L13: /close\(\) sent POST \/unload .* before it let go of the running chat/ },
  ),
  mutant(
    "M183",
    "keeps the backend's version to itself",
    outside(({ health }) => ({
      async health(options) {
        const { version: _, ...told } = await health(options);
        return told;
      },
    })),
    { L02: /the backend tells version 9\.8\.7/ },
  ),
  mutant(
    "M184",
    "does not say what to do about a backend that is down",
    outside(({ health }) => ({
      async health(options) {
        const { hint: _, ...told } = await health(options);
        return told;
      },
    })),
    { L02: /no hint says what to do/ },
  ),
  mutant(
    "M185",
    "says that a backend is well because it is there",
    outside(({ health }) => ({ health: async (options) => ({ ...(await health(options)), status: "ok" }) })),
    { L01: /nothing listens at/, L17: /health says ok/ },
  ),
  mutant(
    "M186",
    "waits for the health of a backend that says nothing",
    outside(({ health }) => ({
      async health(options) {
        const told = await health(options);
        if (told.message?.includes("no answer within") === true) await new Promise(() => undefined);
        return told;
      },
    })),
    { L17: /health had not answered/ },
  ),
  mutant(
    "M187",
    "lists models under titles",
    outside(({ listModels }) => ({
      listModels: async (options) =>
        (await listModels(options)).map((model) => ({ ...model, id: `Model ${model.id}` })),
    })),
    { L03: /listed: \["Model kit-chat"/ },
  ),
  mutant(
    "M188",
    "describes what it does not know",
    outside(({ describeModel }) => ({
      async describeModel(model, options) {
        try {
          return await describeModel(model, options);
        } catch (error) {
          if (!isCode(error, "model-not-found")) throw error;
          return { id: model, capabilities: UNKNOWN };
        }
      },
    })),
    { L04: /expected model-not-found, seen no error/ },
  ),
  mutant(
    "M189",
    "guesses the window of a model",
    outside(({ describeModel }) => ({
      describeModel: async (...given) => ({ ...(await describeModel(...given)), contextWindow: 4_096 }),
    })),
    { L18: /the backend's contextWindow is 2048; told: 4096/ },
  ),
  mutant(
    "M190",
    "takes the end of a download for its success",
    outside(({ pullModel }) => ({
      async *pullModel(request, options) {
        try {
          yield* pullModel(request, options);
        } catch (error) {
          if (!isCode(error, "stream-interrupted") && !isCode(error, "provider-internal")) throw error;
          yield { status: "done", fraction: 1, model: request.model };
        }
      },
    })),
    { L07: /seen no error but/ },
  ),
  mutant("M191", "goes on with a download that everybody has left", part({ createSharing: kept }), {
    A11: /the pull to be stopped at the backend/,
    L08: /the pull's connection to be closed by the client/,
  }),
  mutant("M192", "fetches a model once for each who asks", part({ createSharing: alone }), {
    L09: /three pulls at once led to 3 requests/,
  }),
  mutant(
    "M193",
    "stops a download as soon as one of those who wait leaves",
    part({ createSharing: brittle }),
    { L22: /the pull failed with/ },
  ),
  mutant(
    "M194",
    "tells of a download only that it is done",
    outside(({ pullModel }) => ({
      async *pullModel(...given) {
        for await (const progress of pullModel(...given)) if (progress.status === "done") yield progress;
      },
    })),
    {
      A11: /the first progress of the download/,
      L06: /between begin and end nothing was told/,
      L08: /the pull's connection to be closed by the client/,
    },
  ),
  mutant(
    "M195",
    "does not know a full disk",
    part({
      pullFault(message) {
        const fault = PARTS.pullFault(message);
        return fault.code === "disk-full" ? new LlmError("provider-internal", message) : fault;
      },
    }),
    { L19: /expected disk-full, seen provider-internal/ },
  ),
  mutant(
    "M196",
    "does not tell a model that nobody offers from a broken download",
    part({
      pullFault(message) {
        const fault = PARTS.pullFault(message);
        return fault.code === "model-not-found" ? new LlmError("provider-internal", message) : fault;
      },
    }),
    { L20: /expected model-not-found, seen provider-internal/ },
  ),
  mutant(
    "M197",
    "takes a repeated figure for progress",
    inside(({ pullModel }) => ({ pullModel: (request, { signal } = {}) => pullModel(request, { signal }) })),
    { L21: /repeats one figure/ },
  ),
  mutant(
    "M198",
    "tells the window that was asked for, not the one in force",
    outside(({ loadModel }) => ({
      loadModel: async (request, options) => ({
        ...(await loadModel(request, options)),
        contextWindow: request.contextWindow,
      }),
    })),
    { L10: /the backend loaded 512; the first load says 1024/ },
  ),
  mutant(
    "M199",
    "keeps a list of its own of what is loaded",
    outside(({ loadModel }) => {
      const loaded = new Set<string>();
      return {
        async loadModel(request, options) {
          loaded.add(request.model);
          return loadModel(request, options);
        },
        loadedModels: async () => [...loaded].map((id) => ({ id })),
      };
    }),
    { L11: /was unloaded; loadedModels: \["kit-chat"\]/ },
  ),
  mutant(
    "M200",
    "unloads nothing",
    outside(() => ({ unloadModel: async () => undefined })),
    { L11: /was unloaded; loadedModels: \["kit-chat"\]/ },
  ),
  mutant(
    "M108",
    "takes a time of 0 for none",
    sent(({ keepAliveMs, ...body }) =>
      keepAliveMs === 0 ? body : { ...body, ...(keepAliveMs !== undefined && { keepAliveMs }) },
    ),
    { L12: /chat with keepAlive 0: the backend saw none/ },
  ),
  mutant(
    "M109",
    "takes want of memory for a broken file",
    outside(({ loadModel }) => ({
      async loadModel(...given) {
        try {
          return await loadModel(...given);
        } catch (error) {
          if (!isCode(error, "out-of-memory")) throw error;
          throw new LlmError("model-load-failed", error.message, { cause: error });
        }
      },
    })),
    { L16: /expected out-of-memory, seen model-load-failed/ },
  ),
  mutant(
    "M110",
    "deletes what is not there",
    outside(({ deleteModel }) => ({
      deleteModel: (...given) => deleteModel(...given).catch(() => undefined),
    })),
    { L23: /expected model-not-found, seen no error/ },
  ),
];

const unknown = { value: "unknown" } as const;
const UNKNOWN: ModelCapabilities = {
  chat: unknown,
  embedding: unknown,
  rerank: unknown,
  tools: unknown,
  vision: unknown,
  reasoning: unknown,
  jsonSchema: unknown,
};

/** Nobody shares. */
function alone<Value>(): Sharing<Value> {
  return {
    async *follow(_, signal = new AbortController().signal, start) {
      yield* start(signal);
    },
  };
}

/** The work goes on when all have left. */
function kept<Value>(): Sharing<Value> {
  const sharing = createSharing<Value>();
  return {
    follow: (key, signal, start) => sharing.follow(key, signal, () => start(new AbortController().signal)),
  };
}

/** Who leaves stops it for all. */
function brittle<Value>(): Sharing<Value> {
  const sharing = createSharing<Value>();
  const stops = new Map<string, AbortController>();
  return {
    async *follow(key, signal, start) {
      const stop = stops.get(key) ?? new AbortController();
      stops.set(key, stop);
      try {
        yield* sharing.follow(key, signal, (inner) => start(AbortSignal.any([inner, stop.signal])));
      } finally {
        stop.abort();
        stops.delete(key);
      }
    },
  };
}
