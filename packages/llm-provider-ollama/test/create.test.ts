import { createHash } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import type { LlmError } from "@enginehouse/llm-core";
import { afterAll, describe, expect, test } from "vitest";

import { copyModel, type CreateProgress, createModel } from "../src/index.ts";
import { replay, type Routes, say, setUp } from "./ollama-server.ts";

const folder = mkdtempSync(join(tmpdir(), "ollama-create-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const bytes = Buffer.from("GGUF".repeat(100_000));
const file = join(folder, "tiny.gguf");
writeFileSync(file, bytes);
const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
const blob = `/api/blobs/${digest}`;

async function all(creation: AsyncIterable<CreateProgress>): Promise<CreateProgress[]> {
  const seen: CreateProgress[] = [];
  for await (const progress of creation) seen.push(progress);
  return seen;
}

const faultOf = (promise: Promise<unknown>): Promise<LlmError> =>
  promise.then(
    () => expect.unreachable("it should have failed"),
    (error: unknown) => error as LlmError,
  );

const fresh: Routes = {
  [`HEAD ${blob}`]: (_, response) => response.writeHead(404).end(),
  [`POST ${blob}`]: (_, response) => response.writeHead(201).end(),
  "POST /api/create": "create",
};

describe("a model from a file", () => {
  test("is uploaded under its sum and put together", async () => {
    await using given = await setUp(fresh);
    const settings = { baseUrl: given.server.url, apiKey: "k" };
    const seen = await all(
      createModel(settings, { model: "mine", file, system: "Be brief.", parameters: { temperature: 0 } }),
    );
    expect(seen.map(({ status }) => status)).toEqual([
      "hashing",
      "hashing",
      "uploading",
      "uploading",
      "creating",
      "creating",
      "creating",
      "creating",
      "done",
    ]);
    const [upload] = given.server.of(blob).filter(({ method }) => method === "POST");
    expect(upload?.headers["content-length"]).toBe(String(bytes.length));
    expect(upload?.headers.authorization).toBe("Bearer k");
    expect(upload?.body).toBe(bytes.toString());
    expect(given.server.of("/api/create")[0]?.body).toEqual({
      model: "mine",
      stream: true,
      files: { "model.gguf": digest },
      system: "Be brief.",
      parameters: { temperature: 0 },
    });
  });

  test("that the server has already is not sent again", async () => {
    await using given = await setUp({
      ...fresh,
      [`HEAD ${blob}`]: (_, response) => response.writeHead(200).end(),
    });
    await all(createModel({ baseUrl: given.server.url }, { model: "mine", file }));
    expect(given.server.of(blob).map(({ method }) => method)).toEqual(["HEAD"]);
  });

  test("an error after status 200 is a fault", async () => {
    await using given = await setUp({ ...fresh, "POST /api/create": "create-blob-missing" });
    const fault = await faultOf(all(createModel({ baseUrl: given.server.url }, { model: "mine", file })));
    expect(fault).toMatchObject({ code: "provider-internal", operation: "create" });
  });

  test("a server that refuses the bytes is heard", async () => {
    await using given = await setUp({
      ...fresh,
      [`POST ${blob}`]: (_, response) =>
        response.writeHead(400).end('{"error":"digest mismatch, expected x got y"}'),
    });
    const fault = await faultOf(all(createModel({ baseUrl: given.server.url }, { model: "mine", file })));
    expect(fault).toMatchObject({ code: "invalid-response", retryable: true });
  });

  test("a file that is not there is said before anything is sent", async () => {
    await using given = await setUp(fresh);
    const nowhere = join(folder, "nowhere.gguf");
    const fault = await faultOf(
      all(createModel({ baseUrl: given.server.url }, { model: "mine", file: nowhere })),
    );
    expect(fault).toMatchObject({ code: "invalid-request" });
    expect(given.server.asked).toEqual([]);
  });

  test("a server from before files in the request is told by a Modelfile", async () => {
    await using given = await setUp({
      ...fresh,
      "POST /api/create": ({ body }, response) =>
        body.modelfile === undefined
          ? say(response, [{ error: "path or Modelfile are required" }], 400)
          : replay("create", response),
    });
    const wish = {
      model: "mine",
      file,
      template: "{{ .Prompt }}",
      system: 'Say "no".',
      parameters: { temperature: 0, stop: ["a", "b"] },
      quantize: "q4_K_M",
    };
    const seen = await all(createModel({ baseUrl: given.server.url }, wish));
    expect(seen.at(-1)).toEqual({ status: "done", fraction: 1 });
    expect(given.server.of("/api/create").at(-1)?.body).toEqual({
      model: "mine",
      stream: true,
      quantize: "q4_K_M",
      modelfile: [
        `FROM @${digest}`,
        'TEMPLATE """{{ .Prompt }}"""',
        'SYSTEM """Say "no"."""',
        "PARAMETER temperature 0",
        'PARAMETER stop """a"""',
        'PARAMETER stop """b"""',
        "",
      ].join("\n"),
    });
    const quoted = all(createModel({ baseUrl: given.server.url }, { ...wish, system: '"""' }));
    expect(await faultOf(quoted)).toMatchObject({ code: "unsupported", operation: "create" });
  });

  test("whatever goes wrong is an error with a code", async () => {
    await using given = await setUp({
      ...fresh,
      "POST /api/create": (_, response) => say(response, ["<html>"]),
    });
    const settings = { baseUrl: given.server.url };
    expect(await faultOf(all(createModel(settings, { model: "mine", file })))).toMatchObject({
      code: "invalid-response",
      provider: "ollama",
      operation: "create",
    });
    expect(await faultOf(all(createModel(settings, { model: "mine", file: folder })))).toMatchObject({
      code: "invalid-request",
      operation: "create",
      message: expect.stringContaining("EISDIR"),
    });
    const down = { baseUrl: "http://127.0.0.1:1" };
    expect(await faultOf(all(createModel(down, { model: "mine", file })))).toMatchObject({
      code: "unavailable",
      provider: "ollama",
      operation: "create",
    });
    expect(await faultOf(copyModel(down, { from: "a", to: "b" }))).toMatchObject({
      code: "unavailable",
      provider: "ollama",
      operation: "copy",
    });
  });

  test("an upload that nobody takes ends after idle", async () => {
    await using given = await setUp({ ...fresh, [`POST ${blob}`]: () => undefined });
    const timeouts = { idle: 100 };
    const creation = all(createModel({ baseUrl: given.server.url }, { model: "mine", file }, { timeouts }));
    expect(await faultOf(creation)).toMatchObject({ code: "timeout", operation: "create" });
  });

  test("leaving closes the upload", async () => {
    await using given = await setUp({ ...fresh, [`POST ${blob}`]: () => undefined });
    const left = given.server.left(blob);
    const abort = new AbortController();
    const creation = all(
      createModel({ baseUrl: given.server.url }, { model: "mine", file }, { signal: abort.signal }),
    );
    while (given.server.of(blob).length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    abort.abort();
    expect(await faultOf(creation)).toMatchObject({ code: "aborted" });
    await left;
  });
});
