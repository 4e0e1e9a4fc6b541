import { expect, test } from "vitest";

import { main } from "../../src/cli/main.ts";

/** Starts the server, and gives its address once it is told. */
async function started(args: readonly string[]) {
  let written = "";
  let told = "";
  const leave = new AbortController();
  const stderr = { write: (text: string) => ((told += text), true) };
  let ended: Promise<unknown> = Promise.resolve();
  const address = await new Promise<string>((resolve, reject) => {
    const write = (text: string) => {
      written += text;
      const found = /http:\/\/[\d.:]+/.exec(written)?.[0];
      if (found !== undefined) resolve(found);
      return true;
    };
    ended = main(["serve", ...args], {
      stdout: { write },
      stderr,
      env: {},
      folder: ".",
      until: leave.signal,
    });
    void ended.then(() => reject(new Error(told)));
  });
  return { address, said: () => written, leave, ended };
}

test("`serve` answers in the plain protocol, tells what it was asked, and ends", async () => {
  const { address, said, leave, ended } = await started(["--port", "0"]);
  const body = JSON.stringify({ model: "kit-chat", messages: [{ role: "user", text: "Hello" }] });
  const reply = await fetch(`${address}/chat`, { method: "POST", body });
  expect((await reply.text()).trim().split("\n").at(-1)).toMatch(/"type":"end","reason":"stop"/);
  await expect.poll(said).toMatch(/POST \/chat/);
  leave.abort();
  expect(await ended).toBe(0);
  await expect(fetch(`${address}/health`)).rejects.toThrow(/fetch failed/);
});

test.each([
  [["klingon"], /`serve` takes one wire: plain, ollama, openai/],
  [["--port", "many"], /--port takes a number from 0 to 65535, not "many"/],
])("`serve %j` is refused with what there is", async (args, says) => {
  await expect(started(args)).rejects.toThrow(says);
});

test("a port that is taken is told", async () => {
  const first = await started(["--port", "0"]);
  const port = new URL(first.address).port;
  await expect(started(["--port", port])).rejects.toThrow(new RegExp(`port ${port} is taken`));
  first.leave.abort();
  await first.ended;
});
