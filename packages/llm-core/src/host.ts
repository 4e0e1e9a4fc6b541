import { createCalls, heeding, modelOf } from "./calls.ts";
import type { ChatRequest } from "./chat.ts";
import { type ErrorPhase, LlmError, toLlmError } from "./errors.ts";
import type { Health } from "./model.ts";
import { checkNamed, checkTexts } from "./named.ts";
import { type CallOptions, type Feature, OPERATIONS, type Operation, type Provider } from "./provider.ts";
import { pullWithPromises } from "./pull-host.ts";
import { issueText, type SettingsSchema } from "./schema.ts";
import { streamWithPolicies } from "./stream-host.ts";
import { fromSource } from "./stream.ts";
import { unitVectors } from "./vectors.ts";

export interface Hosting {
  readonly name: string;
  readonly features: readonly Feature[];
  readonly settings: SettingsSchema;
  readonly given: unknown;
}

/** How long `health` may take, in milliseconds. */
const HEALTH_LIMIT = 2_000;

/**
 * Puts the promises that hold for every provider around one, so that no plugin has to keep them by itself: settings
 * are checked before the first operation, every fault is an `LlmError` that names the provider, what a plugin does
 * not declare never reaches it, an aborted or closed call ends as such, and `health` never rejects.
 */
export function hostProvider<Made extends Provider>(made: Made, hosting: Hosting): Made {
  const calls = createCalls(hosting.name);
  const ready = checkOnce(hosting);
  let closing: Promise<void> | undefined;

  const close = (): Promise<void> =>
    (closing ??= (async () => {
      calls.shutDown();
      try {
        await made.close();
      } catch (error) {
        throw toLlmError(error, "provider-internal", { provider: hosting.name, phase: "close" });
      }
    })());

  /** One call of a method that answers with a promise. */
  function single<Input, Output>(
    operation: Operation,
    phase: ErrorPhase,
    run: (input: Input, options: CallOptions) => Promise<Output>,
  ): (input: Input, options?: CallOptions) => Promise<Output> {
    return async (input, options = {}) => {
      const call = calls.begin(operation, modelOf(input), options.signal);
      try {
        await ready();
        // The caller may have aborted, or closed, meanwhile: then the plugin is not called at all.
        call.signal.throwIfAborted();
        return await heeding(call.signal, run(input, { ...options, signal: call.signal }));
      } catch (error) {
        throw call.fail(error, { phase });
      } finally {
        call.end();
      }
    };
  }

  const withoutInput =
    <Output>(operation: Operation, run: (options: CallOptions) => Promise<Output>) =>
    (options?: CallOptions): Promise<Output> =>
      single<undefined, Output>(operation, "request", (_, inner) => run(inner))(undefined, options);

  const hosted: { -readonly [K in keyof Provider]: Provider[K] } = { name: hosting.name, close };
  const { stream, embed, rerank, countTokens, health, listModels, describeModel } = bound(made);
  const { pullModel, deleteModel, loadModel, unloadModel, loadedModels } = bound(made);

  if (stream !== undefined) {
    hosted.stream = (request: ChatRequest, options: CallOptions = {}) =>
      fromSource(
        streamWithPolicies(
          { name: hosting.name, stream, calls, ready, features: hosting.features },
          request,
          options,
        ),
      );
  }
  if (embed !== undefined) {
    hosted.embed = single("embed", "request", async (request, options) => {
      checkTexts(request, "texts");
      if (request.texts.length === 0) return { model: request.model, vectors: [], usage: { inputTokens: 0 } };
      const response = await embed(request, options);
      return { ...response, vectors: unitVectors(response.vectors, request.texts.length) };
    });
  }
  if (rerank !== undefined) {
    hosted.rerank = single("rerank", "request", async (request, options) => {
      checkTexts(request, "documents");
      const count = request.documents.length;
      if (count === 0) return { model: request.model, scores: [] };
      const response = await rerank(request, options);
      if (response.scores.length === count && response.scores.every(Number.isFinite)) return response;
      const says = `${count} documents went in and ${response.scores.length} scores came out, or not all numbers`;
      throw new LlmError("invalid-response", says);
    });
  }
  if (countTokens !== undefined) hosted.countTokens = single("count", "request", named(countTokens));
  if (listModels !== undefined) hosted.listModels = withoutInput("list", listModels);
  if (loadedModels !== undefined) hosted.loadedModels = withoutInput("loaded", loadedModels);
  if (describeModel !== undefined) hosted.describeModel = single("describe", "request", named(describeModel));
  if (deleteModel !== undefined) hosted.deleteModel = single("delete", "request", named(deleteModel));
  if (loadModel !== undefined) hosted.loadModel = single("load", "load", named(loadModel));
  if (unloadModel !== undefined) hosted.unloadModel = single("unload", "load", named(unloadModel));
  if (health !== undefined)
    hosted.health = (options = {}) =>
      boundedHealth(
        single("health", "request", (_, inner) => health(inner)),
        options,
      );
  if (pullModel !== undefined) {
    hosted.pullModel = (request, options = {}) =>
      pullWithPromises({ pullModel, calls, ready }, request, options);
  }
  return hosted as Made;
}

/** The provider may count on the name of a model. */
const named =
  <Input, Output>(run: (input: Input, options: CallOptions) => Promise<Output>) =>
  async (input: Input, options: CallOptions): Promise<Output> => {
    checkNamed(input);
    return run(input, options);
  };

function bound(made: Provider): Provider {
  const methods: Record<string, unknown> = {};
  for (const method of Object.values(OPERATIONS)) {
    const own = made[method];
    if (own !== undefined) methods[method] = own.bind(made);
  }
  return methods as unknown as Provider;
}

/** Nothing where the settings are known to be good: a promise costs a part of what a token does. */
function checkOnce({ name, settings, given }: Hosting): () => Promise<void> | undefined {
  let checked: Promise<void> | undefined;
  let good = false;
  return () =>
    good
      ? undefined
      : (checked ??= (async () => {
          const result = await settings["~standard"].validate(given);
          good = result.issues === undefined;
          if (result.issues === undefined) return;
          throw new LlmError(
            "invalid-settings",
            `settings of "${name}": ${result.issues.map(issueText).join("; ")}`,
            {
              provider: name,
              phase: "settings",
              hint: "the table of settings is in the README of the provider's package",
            },
          );
        })());
}

async function boundedHealth(
  ask: (input: undefined, options: CallOptions) => Promise<Health>,
  options: CallOptions,
): Promise<Health> {
  const limit = new AbortController();
  const stop = (): void => limit.abort(options.signal?.reason);
  options.signal?.addEventListener("abort", stop, { once: true });
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<Health>((resolve) => {
    timer = setTimeout(() => {
      resolve({
        status: "down",
        message: `no answer within ${HEALTH_LIMIT / 1_000} s`,
        hint: "look whether the backend runs, is busy, or has another address",
      });
      limit.abort();
    }, HEALTH_LIMIT);
  });
  const asked = ask(undefined, { ...options, signal: limit.signal }).catch((error: unknown): Health => {
    const fault = error as LlmError;
    return { status: "down", message: fault.message, hint: fault.hint };
  });
  if (options.signal?.aborted === true) stop();
  try {
    return await Promise.race([asked, late]);
  } finally {
    clearTimeout(timer);
    options.signal?.removeEventListener("abort", stop);
  }
}
