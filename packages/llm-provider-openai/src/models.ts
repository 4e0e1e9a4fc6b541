import {
  type CallOptions,
  type Health,
  isLlmError,
  LlmError,
  type ModelDescription,
  type ModelInfo,
} from "@enginehouse/llm-core";
import { callJson, type Endpoint, type WireCall } from "@enginehouse/llm-wire";

import { decodeDescription, decodeInfo, decodeList, isModel, isRecord, textOf } from "./decode.ts";
import { healthOfFault, readFaultOf } from "./errors.ts";
import { type VersionPlace, VERSION_BY_OWNER } from "./presets/presets.ts";
import type { Connection } from "./settings.ts";
import type { WireModel } from "./wire.ts";

/** What the server says of itself and of its models. */
export interface ModelDesk {
  list(options: CallOptions): Promise<readonly ModelInfo[]>;
  describe(id: string, options: CallOptions): Promise<ModelDescription>;
  health(options: CallOptions): Promise<Health>;
}

/** Within the two seconds that health has, so that its answer says more than that they passed. */
const HEALTH_MS = 1_800;

const LLAMA_PROPS = VERSION_BY_OWNER["llamacpp"]?.path;

export function createModelDesk(endpoint: Endpoint, { preset, baseUrl }: Connection): ModelDesk {
  const root: Endpoint = { ...endpoint, baseUrl: rootOf(baseUrl) };
  const readFault = readFaultOf("other");
  const get = (path: string, options: CallOptions, from = endpoint): Promise<unknown> =>
    callJson(from, { ...options, path, readFault } satisfies WireCall);

  const models = async (options: CallOptions): Promise<readonly WireModel[]> => {
    const list = decodeList(await get("/models", options));
    if (list !== undefined) return list;
    throw new LlmError("invalid-response", "the server's list of models is none", {
      hint: "is this the address of a model server? Most end in /v1",
    });
  };

  /** What a server tells beyond its list is welcome, and never needed. */
  const ask = async (place: VersionPlace, options: CallOptions): Promise<unknown> => {
    try {
      return await get(place.path, options, root);
    } catch (error) {
      options.signal?.throwIfAborted();
      if (isLlmError(error)) return undefined;
      throw error;
    }
  };

  const one = async (id: string, options: CallOptions): Promise<WireModel> => {
    const found = (await models(options)).find((model) => model.id === id);
    if (found !== undefined) return found;
    // Some servers take other names for a model than they list.
    const reply = await get(`/models/${encodeURIComponent(id)}`, options).catch((error: unknown) => {
      const unknown =
        isLlmError(error) && (error.status === 404 || error.status === 405 || error.status === 400);
      if (unknown) return undefined;
      throw error;
    });
    if (isModel(reply)) return reply;
    throw new LlmError("model-not-found", `the server has no model "${id}"`, {
      model: id,
      hint: "listModels tells which it has",
    });
  };

  const versionOf = async (list: readonly WireModel[], options: CallOptions): Promise<string | undefined> => {
    const place = preset.version ?? VERSION_BY_OWNER[textOf(list[0]?.owned_by) ?? ""];
    if (place === undefined) return undefined;
    const reply = await ask(place, options);
    return isRecord(reply) ? textOf(reply[place.field]) : undefined;
  };

  return {
    list: async (options) => (await models(options)).map(decodeInfo),
    async describe(id, options) {
      const model = await one(id, options);
      const isLlama = model.owned_by === "llamacpp" || preset.version?.path === LLAMA_PROPS;
      const place = isLlama ? VERSION_BY_OWNER["llamacpp"] : undefined;
      return decodeDescription(model, place && (await ask(place, options)));
    },
    async health({ signal }) {
      const until = performance.now() + HEALTH_MS;
      const bounded = (): CallOptions => ({
        signal,
        timeouts: { total: Math.max(0, Math.ceil(until - performance.now())) },
      });
      try {
        const list = await models(bounded());
        // What has answered is well, whether or not there is time left for its version.
        const version = await versionOf(list, bounded()).catch(() => undefined);
        return { status: "ok", ...(version !== undefined && { version }) };
      } catch (error) {
        return healthOfFault(error, preset);
      }
    },
  };
}

/** The server itself, above the `/v1` of its dialect. */
function rootOf(baseUrl: string): string {
  const url = URL.parse(baseUrl);
  if (url === null) return baseUrl;
  url.pathname = url.pathname.replace(/\/v\d+\/?$/, "");
  return url.href;
}
