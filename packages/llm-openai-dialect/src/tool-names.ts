import type { ChatRequest } from "@enginehouse/llm-core";

/** Tools may have any name; on the wire a name is up to 64 letters, digits, `_` and `-`. */
export interface ToolNames {
  toWire(name: string): string;
  fromWire(name: string): string;
}

const PLAIN_NAME = /^[\w-]{1,64}$/;
const LONGEST = 64;

/** One name on the wire for each name in the request, and the way back. */
export function createToolNames(request: Pick<ChatRequest, "tools" | "messages">): ToolNames {
  const there = new Map<string, string>();
  const back = new Map<string, string>();
  const names = [...namesIn(request)];
  const keep = (name: string, wire: string): void => {
    there.set(name, wire);
    back.set(wire, name);
  };
  // Names that need no change keep theirs, whatever the others turn into.
  for (const name of names) if (PLAIN_NAME.test(name)) keep(name, name);
  for (const name of names) {
    if (there.has(name)) continue;
    const plain = name.replaceAll(/[^\w-]/g, "_").slice(0, LONGEST) || "_";
    let wire = plain;
    for (let count = 2; back.has(wire); count += 1) {
      const suffix = `_${count}`;
      wire = plain.slice(0, LONGEST - suffix.length) + suffix;
    }
    keep(name, wire);
  }
  return {
    toWire: (name) => there.get(name) ?? name,
    fromWire: (name) => back.get(name) ?? name,
  };
}

function namesIn({ tools = [], messages }: Pick<ChatRequest, "tools" | "messages">): Set<string> {
  const names = new Set(tools.map(({ name }) => name));
  for (const { content } of messages) {
    if (typeof content === "string") continue;
    for (const part of content) if (part.type === "tool-call") names.add(part.name);
  }
  return names;
}
