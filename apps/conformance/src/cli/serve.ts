import { once } from "node:events";

import type { FakeBackend } from "../backend.ts";
import { ollamaFake, openaiFake, plainFake } from "../fakes/index.ts";
import type { Scenario } from "../scenario.ts";
import { usageFault, type Values } from "./arguments.ts";
import type { Terminal } from "./main.ts";

const WIRES: Readonly<Record<string, FakeBackend>> = {
  plain: plainFake,
  ollama: ollamaFake,
  openai: openaiFake,
};

/** A server to talk to by hand. Its answers are set; what it was asked is printed. Ends with the process. */
export async function serve(words: readonly string[], values: Values, terminal: Terminal): Promise<void> {
  const [wire = "plain", ...more] = words;
  const fake = WIRES[wire];
  if (fake === undefined || more.length > 0) {
    throw usageFault(`\`serve\` takes one wire: ${Object.keys(WIRES).join(", ")}`);
  }
  const port = Number(values.port ?? 8_700);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw usageFault(`--port takes a number from 0 to 65535, not "${values.port}"`);
  }
  const backend = await fake.start({ ...DEMONSTRATION, port }).catch((error: NodeJS.ErrnoException) => {
    throw error.code === "EADDRINUSE"
      ? usageFault(`port ${port} is taken`, "choose another one: llm-conformance serve --port 8701")
      : error;
  });
  const { stdout } = terminal;
  const { chat, embedding } = backend.models;
  stdout.write(
    `${wire} server on ${backend.address}, with the models ${chat} and ${embedding}. Ctrl+C ends it.\n`,
  );
  const told = new Set<unknown>();
  const timer = setInterval(() => {
    for (const request of backend.seen.requests) {
      if (told.has(request)) continue;
      told.add(request);
      stdout.write(`${request.method} ${request.path}  ${request.operation}\n`);
    }
  }, 100);
  try {
    if (terminal.until?.aborted !== true) await once(terminal.until ?? new EventTarget(), "abort");
  } finally {
    clearInterval(timer);
    await backend.close();
  }
}

const DEMONSTRATION: Scenario = {
  chats: [
    {
      steps: "This is the kit's own server: it says the same thing to everybody, one word at a time."
        .split(/(?<= )/)
        .flatMap((text) => [{ text }, { pause: 60 }]),
    },
  ],
};
