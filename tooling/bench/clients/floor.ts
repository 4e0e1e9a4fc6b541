// What a careful programmer writes by hand for this one wire: the floor that ours is held against.
import { Agent, request } from "node:http";

import type { Run } from "./clients.ts";

type Dialect = "ndjson" | "sse";

const bodyOf = (model: string): string =>
  JSON.stringify({ model, stream: true, messages: [{ role: "user", content: "hi" }] });
const headers = { "content-type": "application/json" };

const textIn: Record<Dialect, (line: string) => string | undefined> = {
  ndjson: (line) => (JSON.parse(line) as { message?: { content?: string } }).message?.content,
  sse(line) {
    if (!line.startsWith("data: ") || line === "data: [DONE]") return undefined;
    const { choices } = JSON.parse(line.slice(6)) as { choices: { delta?: { content?: string } }[] };
    return choices[0]?.delta?.content;
  },
};

function createParser(dialect: Dialect): (bytes: Uint8Array) => string[] {
  const decoder = new TextDecoder();
  const read = textIn[dialect];
  let rest = "";
  return (bytes) => {
    const all = rest + decoder.decode(bytes, { stream: true });
    const texts: string[] = [];
    let at = 0;
    for (let end = all.indexOf("\n"); end !== -1; end = all.indexOf("\n", at)) {
      const text = end > at ? read(all.slice(at, end)) : undefined;
      if (text !== undefined && text !== "") texts.push(text);
      at = end + 1;
    }
    rest = all.slice(at);
    return texts;
  };
}

export function viaFetch(dialect: Dialect) {
  return async ({ base, model, signal, onText }: Run): Promise<void> => {
    const response = await fetch(base, {
      method: "POST",
      headers,
      body: bodyOf(model),
      signal: signal ?? null,
    });
    const reader = response.body?.getReader();
    const parse = createParser(dialect);
    for (;;) {
      const read = await reader?.read();
      if (read === undefined || read.done) return;
      for (const text of parse(read.value)) {
        const asked = onText(text);
        if (asked === false) {
          await reader?.cancel();
          return;
        }
        if (asked !== undefined) await asked;
      }
    }
  };
}

export function viaHttp(dialect: Dialect) {
  const agent = new Agent({ keepAlive: true });
  return ({ base, model, signal, onText }: Run): Promise<void> =>
    new Promise((resolve, reject) => {
      const asked = request(
        base,
        { method: "POST", headers, agent, ...(signal && { signal }) },
        (response) => {
          const parse = createParser(dialect);
          response.on("readable", () => {
            for (
              let bytes = response.read() as Buffer | null;
              bytes !== null;
              bytes = response.read() as Buffer | null
            ) {
              for (const text of parse(bytes)) {
                if (onText(text) === false) {
                  response.destroy();
                  resolve();
                  return;
                }
              }
            }
          });
          response.on("end", resolve);
          response.on("error", reject);
        },
      );
      asked.on("error", reject);
      asked.end(bodyOf(model));
    });
}
