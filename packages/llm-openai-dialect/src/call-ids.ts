import type { ChatRequest } from "@enginehouse/llm-core";

/** Ids of tool calls on the wire: a conversation may have begun with another server, which names them otherwise. */
export type CallIds = (id: string) => string;

const SHORT = /^[a-z\d]{9}$/i;

/** `short`: nine letters and digits and nothing else. Ids that are so stay; the others are numbered in their order. */
export function createCallIds({ messages }: Pick<ChatRequest, "messages">, short: boolean): CallIds {
  if (!short) return (id) => id;
  const taken = new Set(idsIn(messages).filter((id) => SHORT.test(id)));
  const numbered = new Map<string, string>();
  let count = 0;
  return (id) => {
    if (SHORT.test(id)) return id;
    const known = numbered.get(id);
    if (known !== undefined) return known;
    let wire: string;
    do {
      wire = `call${String((count += 1)).padStart(5, "0")}`;
    } while (taken.has(wire));
    numbered.set(id, wire);
    return wire;
  };
}

function idsIn(messages: ChatRequest["messages"]): string[] {
  return messages.flatMap(({ content }) =>
    typeof content === "string"
      ? []
      : content.flatMap((part) =>
          part.type === "tool-call" || part.type === "tool-result" ? [part.id] : [],
        ),
  );
}
