import { DEFAULT_MODELS } from "../scenario.ts";
import type {
  ChatScript,
  EmbedScript,
  LoadScript,
  ModelScript,
  PullScript,
  Refusal,
  Scenario,
} from "../scenario.ts";
import { createDownloads } from "./downloads.ts";
import type { Downloads } from "./downloads.ts";
import { createPlaces, wait } from "./waiting.ts";

/** A model in memory. */
export interface Loaded {
  readonly id: string;
  readonly window: number;
  readonly keepAliveMs?: number | undefined;
}

/** What a backend has behind its wire: the same for all wires. */
export interface House {
  readonly scenario: Scenario;
  /** Installed models. */
  readonly models: readonly ModelScript[];
  /** An installed model, under its scenario's id or the wire's name. */
  find(name: unknown): ModelScript | undefined;
  /** Any model that is known, installed or not. */
  known(name: unknown): ModelScript | undefined;
  install(id: string): void;
  /** A model that nobody knew before. */
  add(model: ModelScript): void;
  remove(id: string): void;
  /** Under the names of the wire. */
  readonly loaded: readonly Loaded[];
  isLoaded(model: ModelScript): Loaded | undefined;
  /** Brings it into memory, unless it is there with this window already; takes the time of its script. */
  load(
    model: ModelScript,
    wish: LoadWish,
    gone: AbortSignal,
  ): Promise<Loaded | { readonly refusal: Refusal }>;
  unload(model: ModelScript): void;
  readonly downloads: Downloads;
  nextChat(): ChatScript;
  nextEmbed(): EmbedScript;
  nextPull(): PullScript;
  /** A place among those that generate; returns how to leave it. */
  enter(gone: AbortSignal): Promise<() => void>;
}

export interface LoadWish {
  readonly window?: number | undefined;
  readonly keepAliveMs?: number | undefined;
}

/** What a chat is answered with, unless a scenario says otherwise. */
export const DEFAULT_CHAT: ChatScript = { steps: [{ text: "All is " }, { text: "well." }] };

export const createHouse = (scenario: Scenario, nameOf: (id: string) => string): House => {
  const models = [...(scenario.models ?? DEFAULT_MODELS)];
  const installed = new Set(models.filter((model) => model.installed !== false).map((model) => model.id));
  const loaded = new Map<string, Loaded>();
  /** The windows that were asked for: a backend may grant others, and need not load again for that. */
  const wished = new Map<string, number | undefined>();
  for (const model of models) {
    if (model.loaded === true) loaded.set(model.id, { id: nameOf(model.id), window: model.window });
  }
  const chats = inTurn(scenario.chats, DEFAULT_CHAT);
  const embeds = inTurn<EmbedScript>(scenario.embeds, {});
  const pulls = inTurn<PullScript>(scenario.pulls, {});
  const loads = inTurn<LoadScript>(scenario.loads, {});
  const places = createPlaces(scenario.parallel ?? Infinity);

  const known = (name: unknown): ModelScript | undefined =>
    models.find((model) => model.id === name || nameOf(model.id) === name);

  return {
    scenario,
    get models() {
      return models.filter((model) => installed.has(model.id));
    },
    find(name) {
      const model = known(name);
      return model !== undefined && installed.has(model.id) ? model : undefined;
    },
    known,
    install(id) {
      installed.add(id);
    },
    add(model) {
      models.push(model);
      installed.add(model.id);
    },
    remove(id) {
      installed.delete(id);
      loaded.delete(id);
    },
    get loaded() {
      return [...loaded.values()];
    },
    isLoaded(model) {
      return loaded.get(model.id);
    },
    async load(model, wish, gone) {
      const there = loaded.get(model.id);
      const fits = wish.window === undefined || wish.window === (wished.get(model.id) ?? there?.window);
      if (there !== undefined && fits) {
        const kept = { ...there, keepAliveMs: wish.keepAliveMs ?? there.keepAliveMs };
        loaded.set(model.id, kept);
        return kept;
      }
      const script = loads();
      await wait(script.takesMs ?? 0, gone);
      if (script.refusal !== undefined) return { refusal: script.refusal };
      const window = script.window ?? Math.min(wish.window ?? model.window, model.window);
      const now = { id: nameOf(model.id), window, keepAliveMs: wish.keepAliveMs };
      loaded.set(model.id, now);
      wished.set(model.id, wish.window);
      return now;
    },
    unload(model) {
      loaded.delete(model.id);
    },
    downloads: createDownloads(),
    nextChat: chats,
    nextEmbed: embeds,
    nextPull: pulls,
    enter: places.enter,
  };
};

/** Each in its turn; the last goes on for ever. */
const inTurn = <Item>(items: readonly Item[] | undefined, other: Item): (() => Item) => {
  let turn = 0;
  return () => {
    const item = items?.[Math.min(turn, items.length - 1)] ?? other;
    turn += 1;
    return item;
  };
};
