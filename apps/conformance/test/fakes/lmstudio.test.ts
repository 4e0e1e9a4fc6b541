import { once } from "node:events";

import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";

import type { Backend } from "../../src/backend.ts";
import { lmstudioFake } from "../../src/fakes/index.ts";
import type { Scenario } from "../../src/scenario.ts";

// A protocol contract: what the frames are. That LM Studio's own client takes them was tried with the client itself.

type Frame = Readonly<Record<string, unknown>>;

const start = async (scenario: Scenario = {}): Promise<Backend> => {
  const backend = await lmstudioFake.start(scenario);
  onTestFinished(() => backend.close());
  return backend;
};

const connect = async (backend: Backend, namespace: string, auth: Frame = {}) => {
  const socket = new WebSocket(`${backend.address}/${namespace}`);
  onTestFinished(() => socket.terminate());
  const frames: Frame[] = [];
  const waiting: (() => void)[] = [];
  const wake = (): void => {
    for (const resume of waiting.splice(0)) resume();
  };
  socket.on("message", (data: Buffer) => {
    frames.push(JSON.parse(data.toString()) as Frame);
    wake();
  });
  socket.on("close", wake);
  await once(socket, "open");
  const until = async (holds: (frame: Frame) => boolean): Promise<Frame> => {
    for (;;) {
      const found = frames.find(holds);
      if (found !== undefined) return found;
      if (socket.readyState !== socket.OPEN) throw new Error(`closed after ${JSON.stringify(frames)}`);
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  const send = (frame: Frame): void => socket.send(JSON.stringify(frame));
  send({ authVersion: 1, clientIdentifier: "tester", clientPasskey: "pass", ...auth });
  const greeting = await until((frame) => "success" in frame);
  let calls = 0;
  return {
    socket,
    frames,
    greeting,
    send,
    until,
    async call(endpoint: string, parameter?: Frame): Promise<Frame> {
      const callId = (calls += 1);
      send({ type: "rpcCall", endpoint, callId, parameter });
      return until((frame) => frame["callId"] === callId);
    },
    /** The packets of one channel, and how it ended. */
    async channel(endpoint: string, creationParameter: Frame, channelId = 1): Promise<unknown[]> {
      send({ type: "channelCreate", endpoint, channelId, creationParameter });
      const end = await until(
        (frame) => frame["type"] === "channelClose" || frame["type"] === "channelError",
      );
      const packets = frames
        .filter((frame) => frame["type"] === "channelSend")
        .map((frame) => frame["message"]);
      return [...packets, end["error"] ?? "closed"];
    },
  };
};

const chat = { identifier: "kit-chat", loadConfigStack: { layers: [] } };

const predict = (policy?: string): Frame => ({
  modelSpecifier: { type: "query", query: { identifier: "kit-chat" } },
  history: { messages: [{ role: "user", content: [{ type: "text", text: "one two three" }] }] },
  predictionConfigStack: {
    layers: [
      {
        layerName: "apiOverride",
        config: {
          fields: [
            { key: "llm.prediction.maxPredictedTokens", value: { checked: true, value: 9 } },
            { key: "llm.prediction.contextOverflowPolicy", value: policy },
          ],
        },
      },
    ],
  },
});

test("a model is loaded with progress, chats, and is unloaded", async () => {
  const backend = await start({ chats: [{ steps: [{ reasoning: "hm" }, { text: "all well" }] }] });
  const llm = await connect(backend, "llm");
  expect(llm.greeting).toEqual({ success: true });
  expect(await llm.channel("getOrLoad", chat)).toMatchObject([
    { type: "startLoading", identifier: "kit-chat", info: { modelKey: "kit-chat", maxContextLength: 2_048 } },
    { type: "loadProgress" },
    { type: "loadProgress", progress: 1 },
    { type: "loadSuccess", info: { identifier: "kit-chat", contextLength: 2_048 } },
    "closed",
  ]);
  expect(backend.seen.loaded).toEqual([{ id: "kit-chat", window: 2_048, keepAliveMs: undefined }]);

  const other = await connect(backend, "llm");
  const [{ instanceReference } = {}] = (await other.call("listLoaded"))["result"] as Frame[];
  const byReference = { ...predict(), modelSpecifier: { type: "instanceReference", instanceReference } };
  const packets = (await other.channel("predict", byReference)) as { fragment?: Frame }[];
  expect(
    packets.flatMap(({ fragment }) => (fragment === undefined ? [] : [fragment["reasoningType"]])),
  ).toEqual(["reasoningStartTag", "reasoning", "reasoningEndTag", "none"]);
  expect(packets.at(-2)).toMatchObject({
    type: "success",
    stats: { stopReason: "eosFound", promptTokensCount: 3, predictedTokensCount: 3 },
  });
  expect(backend.seen.requests.at(-1)).toMatchObject({
    operation: "chat",
    path: "/llm/predict",
    asked: { model: "kit-chat", messages: [{ role: "user", text: "one two three" }], maxTokens: 9 },
  });
  await other.call("unloadModel", { identifier: "kit-chat" });
  expect(backend.seen.loaded).toEqual([]);
});

test("a prediction that is cancelled ends with what there is, and is seen to be left", async () => {
  const models = [{ id: "kit-chat", task: "chat" as const, window: 100, loaded: true }];
  const backend = await start({ models, chats: [{ steps: [{ text: "one" }, { pause: "forever" }] }] });
  const llm = await connect(backend, "llm");
  const packets = llm.channel("predict", predict());
  await llm.until((frame) => (frame["message"] as Frame | undefined)?.["type"] === "fragment");
  expect(backend.seen.generating).toBe(1);
  llm.send({ type: "channelSend", channelId: 1, message: { type: "cancel" } });
  expect((await packets).slice(-2)).toMatchObject([
    { type: "success", stats: { stopReason: "userStopped" } },
    "closed",
  ]);
  expect(backend.seen.generating).toBe(0);
  expect(backend.seen.requests[0]?.leftAt).toBeTypeOf("number");
});

test("a socket that closes ends its prediction", async () => {
  const models = [{ id: "kit-chat", task: "chat" as const, window: 100, loaded: true }];
  const backend = await start({ models, chats: [{ headersAfter: "never" }] });
  const llm = await connect(backend, "llm");
  llm.send({ type: "channelCreate", endpoint: "predict", channelId: 1, creationParameter: predict() });
  await backend.seen.until((seen) => seen.generating === 1, "it has begun");
  llm.socket.terminate();
  await backend.seen.until((seen) => seen.generating === 0 && seen.openSockets === 0, "it has ended");
  expect(backend.seen.requests[0]).toMatchObject({
    leftAt: expect.any(Number) as number,
    answeredAt: undefined,
  });
});

test("calls come whole, an error ends the channel, and a cut ends the socket", async () => {
  const models = [{ id: "kit-chat", task: "chat" as const, window: 100, loaded: true }];
  const backend = await start({
    models,
    chats: [
      { steps: [{ call: { name: "go", input: { to: 1 }, id: "x" } }] },
      { steps: [{ text: "one" }, { error: "out of luck" }] },
      { steps: [{ text: "one" }], end: "none" },
      { steps: [{ text: "one" }, { cut: "reset" }] },
    ],
  });
  const ask = async (): Promise<unknown[]> => (await connect(backend, "llm")).channel("predict", predict());
  expect(await ask()).toMatchObject([
    { type: "promptProcessingProgress" },
    { type: "toolCallGenerationStart", toolCallId: "x" },
    { type: "toolCallGenerationNameReceived", name: "go" },
    { type: "toolCallGenerationArgumentFragmentGenerated", content: '{"to":1}' },
    { type: "toolCallGenerationEnd", toolCallRequest: { id: "x", name: "go", arguments: { to: 1 } } },
    { type: "success", stats: { stopReason: "toolCalls" } },
    "closed",
  ]);
  expect((await ask()).at(-1)).toMatchObject({ title: "out of luck" });
  expect((await ask()).at(-1)).toBe("closed");
  await expect(ask()).rejects.toThrow("closed after");
});

test("a prompt beyond the window is cut in silence, unless the policy is to stop", async () => {
  const models = [{ id: "kit-chat", task: "chat" as const, window: 4, loaded: true }];
  const backend = await start({ models, chats: [{ steps: [{ text: "a b c" }] }] });
  const llm = await connect(backend, "llm");
  expect((await llm.channel("predict", predict("stopAtLimit"))).at(-2)).toMatchObject({
    stats: { stopReason: "contextLengthReached", promptTokensCount: 3, predictedTokensCount: 1 },
  });
});

test("what nobody knows gets a warning and no answer; what is not there gets an error with its code", async () => {
  const backend = await start();
  const llm = await connect(backend, "llm");
  llm.send({ type: "rpcCall", endpoint: "nothing", callId: 9 });
  await llm.until((frame) => frame["type"] === "communicationWarning");
  expect(llm.frames.some((frame) => frame["callId"] === 9)).toBe(false);
  const specifier = { type: "query", query: { identifier: "kit-chat" } };
  expect(await llm.call("countTokens", { specifier, inputString: "a b" })).toMatchObject({
    type: "rpcError",
    error: { displayData: { code: "generic.noModelMatchingQuery" } },
  });
  expect((await llm.channel("loadModel", { modelKey: "other" })).at(-1)).toMatchObject({
    displayData: { code: "generic.pathNotFound", totalModels: 2 },
  });
});

test("a key lets in only the client that has its two parts", async () => {
  const backend = await start({ key: "secret" });
  const [identifier = "", passkey = ""] = (backend.key ?? "").replace("sk-lm-", "").split(":");
  const good = await connect(backend, "system", { clientIdentifier: identifier, clientPasskey: passkey });
  expect(good.greeting).toEqual({ success: true });
  expect(await good.call("version")).toMatchObject({ result: { version: "0.4.0" } });
  expect((await connect(backend, "system")).greeting).toMatchObject({ success: false });
});

test("a model that is not there yet is found, offered and downloaded", async () => {
  const models = [{ id: "far", task: "chat" as const, window: 10, installed: false, sizeBytes: 1_600 }];
  const backend = await start({ models });
  const repository = await connect(backend, "repository");
  expect(await repository.call("searchModels", { opts: { searchTerm: "fa" } })).toMatchObject({
    result: { results: [{ name: "far", identifier: { identifier: "far" } }] },
  });
  const packets = (await repository.channel("downloadModel", { downloadIdentifier: "far" })) as {
    update?: Frame;
  }[];
  const bytes = packets.flatMap(({ update }) => (update === undefined ? [] : [update["downloadedBytes"]]));
  expect(bytes.at(-1)).toBe(1_600);
  expect(packets.slice(-3)).toEqual([
    { type: "startFinalizing" },
    { type: "success", defaultIdentifier: "far" },
    "closed",
  ]);
  const system = await connect(backend, "system");
  expect(await system.call("listDownloadedModels")).toMatchObject({
    result: [{ modelKey: "far", type: "llm" }],
  });
});
