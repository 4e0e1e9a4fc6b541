import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import { expect, test } from "vitest";

import { generate } from "../src/index.ts";
import { ask } from "./double.ts";
import plugin from "./readme-provider.ts";

const textOf = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the provider in the README is the one that is tested here", () => {
  const [, chapter = ""] = textOf("../README.md").split("## Write a provider");
  expect(/```ts\n([^]*?)```/.exec(chapter)?.[1]).toBe(textOf("./readme-provider.ts"));
});

test("the provider in the README answers", async () => {
  const server = createServer((request, response) => {
    request.resume();
    response.end("Grüße vom Backend");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  try {
    const provider = plugin.create({ baseUrl: `http://127.0.0.1:${port}` });
    const { text, usage, finishReason } = await generate(provider, ask);
    expect({ text, usage, finishReason }).toEqual({
      text: "Grüße vom Backend",
      usage: { inputTokens: undefined, outputTokens: undefined },
      finishReason: { unified: "stop", raw: undefined },
    });
  } finally {
    server.close();
    server.closeAllConnections();
  }
});
