import { type ChatEvent, type JsonObject, type JsonValue, LlmError } from "@enginehouse/llm-core";

import type { ToolNames } from "./tool-names.ts";

/** A part of a call as one piece of a stream has it: servers leave out, repeat and misnumber nearly everything. */
export interface CallFragment {
  readonly index?: unknown;
  readonly id?: unknown;
  readonly name?: unknown;
  /** A piece of the arguments; some servers send the whole as an object. */
  readonly arguments?: unknown;
}

/** The calls of one answer, put together from their fragments. */
export interface ToolCalls {
  add(fragment: CallFragment): void;
  /** Text follows: what is a whole call by now stands before it. */
  settle(): void;
  /** The answer is at its end. `why`: what a call that is not JSON may be due to. */
  end(why?: string): void;
  /** What goes back with the call of this wire id. */
  attach(wireId: string, providerData: JsonObject): void;
  /** How many calls there are, whole or not. */
  readonly count: number;
}

interface Call {
  readonly key: unknown;
  wireId: string | undefined;
  id: string;
  name: string | undefined;
  text: string;
  started: boolean;
  over: boolean;
  providerData?: JsonObject | undefined;
}

interface Sinks {
  readonly names: ToolNames;
  readonly emit: (event: ChatEvent) => void;
}

export function createToolCalls({ names, emit }: Sinks): ToolCalls {
  const calls: Call[] = [];
  const ids = new Set<string>();

  const begin = (key: unknown, wireId: string | undefined): Call => {
    const call = { key, wireId, id: "", name: undefined, text: "", started: false, over: false };
    calls.push(call);
    return call;
  };

  /** The call that a fragment goes on with, or a new one. */
  const callOf = ({ index, id, name }: CallFragment): Call => {
    const wireId = filled(id);
    const wireName = filled(name);
    const known = calls.findLast((call) =>
      typeof index === "number" ? call.key === index : wireId === undefined || call.wireId === wireId,
    );
    if (known === undefined) return begin(index, wireId);
    // Servers that number every call 0 tell them apart by their ids, or by nothing but their names.
    const other = wireId !== undefined && known.wireId !== undefined && wireId !== known.wireId;
    const nameless = wireId === undefined && wireName !== undefined && isWhole(known.text);
    if (wireName !== undefined && (other || nameless)) return begin(index, wireId);
    if (wireName !== undefined && known.name !== undefined && names.fromWire(wireName) !== known.name) {
      const sure = wireId !== undefined && known.wireId !== undefined;
      if (!sure && (known.text === "" || isWhole(known.text))) return begin(index, wireId);
      throw unreadable(`gave the tool call "${known.name}" another name, "${wireName}"`);
    }
    known.wireId ??= wireId;
    return known;
  };

  const start = (call: Call): void => {
    if (call.started || call.name === undefined) return;
    call.started = true;
    call.id = call.wireId === undefined || ids.has(call.wireId) ? freshId() : call.wireId;
    ids.add(call.id);
    emit({ type: "tool-input-start", id: call.id, name: call.name });
    if (call.text !== "") emit({ type: "tool-input-delta", id: call.id, text: call.text });
  };

  const close = (call: Call, why: string | undefined): void => {
    if (call.over) return;
    call.over = true;
    if (!call.started) throw unreadable("made a tool call without a name");
    const { id, name = "", text: inputText, providerData } = call;
    emit({ type: "tool-input-end", id });
    emit({
      type: "tool-call",
      id,
      name,
      inputText,
      ...inputOf(inputText, why),
      ...(providerData !== undefined && { providerData }),
    });
  };

  return {
    add(fragment) {
      const call = callOf(fragment);
      const wireName = filled(fragment.name);
      if (call.name === undefined && wireName !== undefined) call.name = names.fromWire(wireName);
      const text = textOf(fragment.arguments);
      if (call.over) {
        if (text.trim() === "") return;
        throw unreadable("went on with a tool call that was whole");
      }
      call.text += text;
      if (call.started) {
        if (text !== "") emit({ type: "tool-input-delta", id: call.id, text });
      } else start(call);
    },
    settle() {
      // An object that is whole cannot be the beginning of another one; a call without text may still get some.
      for (const call of calls) if (call.started && isWholeObject(call.text)) close(call, undefined);
    },
    end(why) {
      for (const call of calls) close(call, why);
    },
    attach(wireId, providerData) {
      const call = calls.find((one) => one.wireId === wireId);
      if (call !== undefined) call.providerData = providerData;
    },
    get count() {
      return calls.length;
    },
  };
}

const unreadable = (did: string): LlmError =>
  new LlmError("invalid-response", `the server ${did}`, {
    phase: "stream",
    hint: "look into the server's log: its reader of tool calls may not know this model",
  });

const filled = (value: unknown): string | undefined =>
  typeof value === "string" && value.trim() !== "" ? value : undefined;

function textOf(given: unknown): string {
  if (typeof given === "string") return given;
  return given === null || given === undefined ? "" : JSON.stringify(given);
}

function inputOf(text: string, why: string | undefined): { input?: JsonValue; inputError?: string } {
  if (text.trim() === "") return { input: {} };
  try {
    return { input: JSON.parse(text) as JsonValue };
  } catch (fault) {
    const says = fault instanceof Error ? fault.message : String(fault);
    return { inputError: why === undefined ? says : `${why} (${says})` };
  }
}

function isWhole(text: string): boolean {
  return text !== "" && inputOf(text, undefined).inputError === undefined;
}

const isWholeObject = (text: string): boolean => text.trimEnd().endsWith("}") && isWhole(text);

/** Unlike any other of a conversation: results are sent back under it. */
const freshId = (): string => `call_${Math.random().toString(36).slice(2, 12)}${Date.now().toString(36)}`;
