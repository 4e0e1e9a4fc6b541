import type { JsonObject } from "@enginehouse/llm-core";

import type { Asked, Backend, FakeBackend, SeenRequest } from "../backend.ts";
import type { End, ModelScript, Refusal, Scenario } from "../scenario.ts";
import { createHouse, DEFAULT_CHAT } from "./house.ts";
import type { LoadWish } from "./house.ts";
import { namesOf } from "./http-fake.ts";
import { createTold } from "./play-chat.ts";
import type { Usage } from "./play-chat.ts";
import { wait } from "./waiting.ts";
import { createWitness } from "./witness.ts";
import { vectorFor, wordsOfMessages, wordsOfTexts } from "./words.ts";

/** A model that writes what a scenario says: the backend of a provider whose engine runs inside the process. */
export interface TokenSource {
  readonly models: readonly ModelScript[];
  /** One answer. It rejects with the scenario's error, and as soon as the signal is aborted. */
  generate(asked: Asked, signal?: AbortSignal): AsyncGenerator<TokenPiece, void, undefined>;
  embed(asked: Asked, signal?: AbortSignal): Promise<readonly (readonly number[])[]>;
  /** Words, as every fake counts. */
  count(asked: Asked): number;
  /** The window in force. */
  load(model: string, wish?: LoadWish, signal?: AbortSignal): Promise<number>;
  unload(model: string): void;
}

export type TokenPiece =
  | { readonly type: "text" | "reasoning"; readonly text: string }
  | { readonly type: "call"; readonly name: string; readonly inputText: string }
  | { readonly type: "end"; readonly end: End; readonly usage: Usage | undefined };

/** An engine that is put in front of the source. */
export interface InProcess {
  readonly wire: string;
  readonly cannot: FakeBackend["cannot"];
  /** Returns settings that lead the provider to the source, for instance the name under which it was put somewhere. */
  attach(source: TokenSource): {
    readonly settings?: JsonObject;
    readonly close?: () => Promise<void> | void;
  };
}

/** No socket, no bytes: requests are seen when the engine asks for tokens. */
export const inProcessFake = ({ wire, cannot, attach }: InProcess): FakeBackend => ({
  wire,
  cannot: { ...NO_WIRE, ...cannot },
  start: async (scenario) => start(wire, scenario, attach),
});

const start = (wire: string, scenario: Scenario, attach: InProcess["attach"]): Backend => {
  const house = createHouse(scenario, (id) => id);
  const witness = createWitness(() => house.loaded);
  const closing = new AbortController();

  const need = (id: string | undefined): ModelScript => {
    const model = house.find(id);
    if (model === undefined) throw new Error(`there is no model "${id ?? ""}"`);
    return model;
  };
  const goneOf = (signal: AbortSignal | undefined): AbortSignal =>
    signal === undefined ? closing.signal : AbortSignal.any([signal, closing.signal]);
  const arrives = (operation: SeenRequest["operation"], asked: Asked) =>
    witness.arrived({ operation, method: "", path: operation, headers: {}, body: asked, asked });
  const load = async (model: ModelScript, wish: LoadWish, gone: AbortSignal): Promise<number> => {
    const loaded = await house.load(model, wish, gone);
    if ("refusal" in loaded) throw refused(loaded.refusal);
    return loaded.window;
  };

  const source: TokenSource = {
    get models() {
      return house.models;
    },
    async *generate(asked, signal) {
      const gone = goneOf(signal);
      const note = arrives("chat", asked);
      const script = house.nextChat();
      const endings: (() => void)[] = [];
      let whole = false;
      try {
        endings.push(await house.enter(gone), witness.generates());
        await wait(script.headersAfter ?? 0, gone);
        if (script.refusal !== undefined) throw refused(script.refusal);
        const window = await load(need(asked.model), asked, gone);
        const tokens = wordsOfMessages(asked.messages);
        if (tokens > window) throw new Error(`the prompt has ${tokens} tokens, the window ${window}`);
        const told = createTold(window - tokens);
        for (const step of script.steps ?? DEFAULT_CHAT.steps ?? []) {
          gone.throwIfAborted();
          if ("text" in step) yield { type: "text", text: told.text(step.text) };
          else if ("reasoning" in step) yield { type: "reasoning", text: told.reasoning(step.reasoning) };
          else if ("call" in step) yield { type: "call", ...told.call(step.call) };
          else if ("interleaved" in step) {
            for (const call of step.interleaved) yield { type: "call", ...told.call(call) };
          } else if ("pause" in step) await wait(step.pause, gone);
          else if ("error" in step) throw new Error(step.error);
          else if ("cut" in step) throw new Error("the engine died");
          if (told.full) break;
        }
        gone.throwIfAborted();
        whole = true;
        yield { type: "end", end: told.end(script.end), usage: told.usage(script.usage, tokens) };
      } finally {
        if (whole) note.answered();
        else note.left();
        for (const end of endings) end();
      }
    },
    async embed(asked, signal) {
      const gone = goneOf(signal);
      const note = arrives("embed", asked);
      const script = house.nextEmbed();
      await wait(script.headersAfter ?? 0, gone);
      if (script.refusal !== undefined) throw refused(script.refusal);
      const model = need(asked.model);
      await load(model, asked, gone);
      note.answered();
      return (asked.texts ?? []).map((text) => vectorFor(text, model.dimensions ?? 8));
    },
    count: (asked) => wordsOfMessages(asked.messages) + wordsOfTexts(asked.texts),
    async load(id, wish = {}, signal) {
      const note = arrives("load", { model: id, ...wish });
      const window = await load(need(id), wish, goneOf(signal));
      note.answered();
      return window;
    },
    unload(id) {
      arrives("unload", { model: id }).answered();
      house.unload(need(id));
    },
  };

  const { settings, close } = attach(source);
  return {
    address: "",
    key: undefined,
    models: namesOf(scenario.models ?? house.models, (id) => id),
    seen: witness.seen,
    ...(settings === undefined ? {} : { settings }),
    async close() {
      closing.abort(new Error(`the ${wire} backend is closed`));
      await close?.();
    },
  };
};

const refused = ({ message, because, status }: Refusal): Error =>
  new Error(message ?? because ?? `refused (${status})`);

const NOTHING_TRAVELS = "inside a process nothing travels over a network";

const NO_WIRE: FakeBackend["cannot"] = {
  sockets: NOTHING_TRAVELS,
  headers: NOTHING_TRAVELS,
  bytes: NOTHING_TRAVELS,
  lines: NOTHING_TRAVELS,
  cuts: NOTHING_TRAVELS,
  malformed: NOTHING_TRAVELS,
  "http-status": NOTHING_TRAVELS,
  auth: NOTHING_TRAVELS,
  "call-fragments": "a source gives a call whole",
  "call-terminal": NOTHING_TRAVELS,
  "embed-batch-limit": "a source takes any number of texts",
  pulling: "a source has its models already",
};
