import assert from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";

import {
  type ChatRequest,
  type Feature,
  generate,
  isLlmError,
  type Operation,
  OPERATIONS,
  type ToolDefinition,
} from "@enginehouse/llm-core";

import type { Asked, WireAbility } from "../backend.ts";
import type { Bench, Check, Needs, Stand } from "../check.ts";
import {
  answer,
  brief,
  chatFault,
  chatsOf,
  fail,
  lastAsked,
  ok,
  outcome,
  plainAnswer,
  refused,
  requestFor,
  user,
  warnsOf,
} from "./reading.ts";
import { SOON, within } from "./within.ts";

const needs = (...wire: NonNullable<Needs["wire"]>): Needs => ({ operations: ["chat"], wire });

const tools: readonly ToolDefinition[] = [
  { name: "get_weather", inputSchema: { type: "object", properties: { city: { type: "string" } } } },
];
const schema = { type: "object", properties: { ok: { type: "boolean" } }, required: ["ok"] };
const responseFormat = { type: "json", schema } as const;
/** One white pixel. */
const IMAGE = Buffer.from(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=",
  "base64",
);
const withImage = [
  {
    role: "user",
    content: [
      { type: "text", text: "What is this?" },
      { type: "file", mediaType: "image/png", data: new Uint8Array(IMAGE) },
    ],
  },
] as const satisfies ChatRequest["messages"];

/** Names by which settings say how many calls run at once. */
const LIMITS = ["parallel", "maxConcurrent", "maxConcurrency", "maxConcurrentRequests", "concurrency"];

/** Each with a value that is nobody's default. */
const OPTIONS = {
  temperature: 0.5,
  topP: 0.9,
  topK: 11,
  minP: 0.1,
  seed: 5,
  stop: ["END"],
  maxTokens: 77,
  frequencyPenalty: 0.3,
  presencePenalty: 0.2,
  repeatPenalty: 1.1,
  keepAlive: 60_000,
} as const satisfies Partial<ChatRequest>;

export const CAPABILITY_CHECKS: readonly Check[] = [
  {
    id: "K01",
    group: "K",
    promise: "The provider has the methods of the operations that its manifest declares, and no others.",
    why: "Applications choose by the manifest, without running any code.",
    fix: "Declare what is there; what a backend offers beyond the contract is exported as a function of the package.",
    async run(bench) {
      const { provider } = await bench.start();
      const declared = bench.manifest.operations;
      const methods = Object.entries(OPERATIONS) as [Operation, keyof typeof provider][];
      const missing = methods.filter(
        ([name, key]) => declared.includes(name) && typeof provider[key] !== "function",
      );
      const extra = methods.filter(([name, key]) => !declared.includes(name) && provider[key] !== undefined);
      assert.deepEqual(
        missing,
        [],
        `declared, and not there: ${missing.map((pair) => pair.join(" = ")).join(", ")}`,
      );
      assert.deepEqual(
        extra,
        [],
        `there, and not declared: ${extra.map((pair) => pair.join(" = ")).join(", ")}`,
      );
      const known: readonly string[] = [...methods.map(([, key]) => key), "close", "name"];
      const strange = Object.keys(provider).filter((key) => !known.includes(key));
      assert.deepEqual(strange, [], `not of the contract: ${strange.join(", ")}`);
      assert.equal(typeof provider.close, "function", "the provider has no close()");
    },
  },
  {
    id: "K02",
    group: "K",
    promise:
      "An option that cannot be honoured is an error, or a warning where that is the policy; it is never dropped.",
    why: "A seed that goes nowhere makes an experiment that nobody can repeat, and nobody knows.",
    fix: 'For each option the backend lacks: throw `unsupported` that names it before the request, or, with `unsupported: "warn"`, leave it out and add a warning with its name to `start`.',
    needs: needs("options", "sockets"),
    async run(bench) {
      const stand = await bench.start();
      const refusedOptions: string[] = [];
      for (const [option, value] of Object.entries(OPTIONS)) {
        const before = chatsOf(stand.backend).length;
        const strict = await outcome(stand, { [option]: value });
        if (isLlmError(strict)) {
          refusedOptions.push(option);
          assert.equal(strict.code, "unsupported", `${option}: seen ${strict.code}: ${strict.message}`);
          assert.ok(
            strict.message.includes(option),
            `unsupported does not name ${option}: ${strict.message}`,
          );
          assert.equal(
            chatsOf(stand.backend).length,
            before,
            `${option}: unsupported came after the request`,
          );
        } else {
          const seen = brief(lastAsked(stand.backend));
          assert.ok(
            arrived(option, stand),
            `${option} was asked for and dropped without an error; the backend saw ${seen}`,
          );
        }
        const lenient = await answer(stand, { [option]: value, unsupported: "warn" });
        const told = warnsOf(lenient, option);
        assert.ok(
          told !== arrived(option, stand),
          told
            ? `${option} reached the backend, and a warning says that it did not`
            : `${option} was dropped, and the warnings are ${brief(lenient.warnings)}`,
        );
      }
      bench.saw(
        refusedOptions.length === 0 ? "all options arrived" : `unsupported: ${refusedOptions.join(", ")}`,
      );
    },
  },
  {
    id: "K03",
    group: "K",
    promise: "Options meant for another provider change nothing.",
    why: "One request goes to several providers in turn, with an option for each.",
    fix: "Read `providerOptions` under the plugin's own id only.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      const plain = await answer(stand);
      const other = await answer(stand, {
        providerOptions: { "kit-other": { temperature: 1, extra: "kit-strange" } },
      });
      assert.deepEqual(
        other.warnings,
        plain.warnings,
        `options of another provider led to ${brief(other.warnings)}`,
      );
      const [before, after] = chatsOf(stand.backend).map(({ body }) => body);
      assert.deepEqual(after, before, `options of another provider changed the request: ${brief(after)}`);
    },
  },
  {
    id: "K04",
    group: "K",
    promise: "What a call was given is as it was after it.",
    why: "The same messages go into the next request, into a log, and to another provider.",
    fix: "Build the backend's request from new objects; never sort, push or rewrite in place.",
    needs: needs(),
    async run(bench) {
      for (const wish of richWishes(bench)) {
        const stand = await replying(bench);
        const request = requestFor(stand, wish);
        const before = structuredClone(request);
        await plainAnswer(stand, request);
        assert.deepEqual(request, before, `the request was ${brief(before)}; now it is ${brief(request)}`);
      }
    },
  },
  {
    id: "K05",
    group: "K",
    promise: "Frozen requests are welcome.",
    why: "State libraries freeze what they hold.",
    fix: "As above: new objects. A provider in JavaScript that writes to its input fails here with a TypeError.",
    needs: needs(),
    async run(bench) {
      for (const wish of richWishes(bench)) {
        const stand = await replying(bench);
        await plainAnswer(stand, frozen(structuredClone(requestFor(stand, wish))));
      }
      if (!bench.manifest.operations.includes("embed")) return;
      const { provider, backend } = await bench.start();
      const request = frozen({ model: backend.models.embedding, texts: ["One.", "Two."] });
      await ok("embed of a frozen request", provider.embed?.(request) ?? fail("no embed"));
    },
  },
  {
    id: "K06",
    group: "K",
    promise:
      "Options reach the backend as they were given: numbers as they are, zero and less too, and stop as a list.",
    why: "Temperature 0 and seed 0 are wishes, and two stop texts are not one.",
    fix: "Test for `undefined`, not for a falsy value; do not round, clamp or join.",
    needs: needs("options", "sockets"),
    async run(bench) {
      const stand = await bench.start();
      const wishes = [
        { ...OPTIONS, stop: ["END", "\n\n"] },
        { temperature: 0, seed: 0, topP: 1, frequencyPenalty: 0 },
        { frequencyPenalty: -0.5, presencePenalty: -1.25 },
        { temperature: 1.95, seed: 2_147_483_647, stop: [", ", " "], maxTokens: 1 },
      ];
      for (const { keepAlive: _, ...wish } of wishes as Partial<ChatRequest>[]) {
        const { warnings } = await answer(stand, { ...wish, unsupported: "warn" });
        const warned = new Set(warnings.map(({ option }) => option));
        const asked = lastAsked(stand.backend);
        for (const [option, value] of Object.entries(wish)) {
          if (warned.has(option)) continue;
          const seen = asked[option as keyof Asked];
          assert.deepEqual(
            seen,
            value,
            `${option} ${brief(value)} reached the backend as ${brief(seen ?? "nothing")}`,
          );
        }
      }
    },
  },
  {
    id: "K07",
    group: "K",
    promise:
      "Where the settings limit how many calls run at once, no more do, and the others wait their turn.",
    why: "A limit is set because the machine behind it has one.",
    fix: "Count a call from before its request to the end of its stream, however it ends; leave the queue when the signal says so.",
    needs: { operations: ["chat"], wire: ["parallel"], settings: LIMITS },
    async run(bench) {
      const own = bench.manifest.settings?.find((name) => LIMITS.includes(name));
      const chats = [{ headersAfter: 15 }];
      const stand = await bench.start({ chats }, { [own ?? fail("no such setting")]: 2 });
      await Promise.all(Array.from({ length: 5 }, () => answer(stand)));
      const { mostAtOnce } = stand.backend.seen;
      assert.ok(mostAtOnce <= 2, `${own} is 2; the backend saw ${mostAtOnce} generations at once`);
      assert.equal(mostAtOnce, 2, `${own} is 2, five calls came at once, and the backend never saw two`);
      const busy = await bench.start(
        { chats: [{ headersAfter: "never" }, { headersAfter: "never" }, {}] },
        { [own ?? ""]: 2 },
      );
      const controller = new AbortController();
      const { signal } = controller;
      const stuck = Array.from({ length: 3 }, () => generate(busy.provider, requestFor(busy), { signal }));
      const ends = Promise.allSettled(stuck);
      await busy.backend.seen.until(() => chatsOf(busy.backend).length >= 2, "two requests to arrive");
      controller.abort(new Error("the user pressed stop"));
      const codes = (
        await within(SOON, ends, "two running calls and one in the queue that were aborted")
      ).map((end) => (end.status === "rejected" && isLlmError(end.reason) ? end.reason.code : end.status));
      assert.deepEqual(
        codes,
        ["aborted", "aborted", "aborted"],
        `three calls were aborted, and ended as ${codes.join(", ")}`,
      );
      assert.equal(
        chatsOf(busy.backend).length,
        2,
        "a call was aborted in the queue, and its request arrived",
      );
      const next = generate(busy.provider, requestFor(busy));
      await within(
        SOON,
        next,
        `a call after ${codes.length} that were aborted (${own} is 2), as if their places were not given back`,
      );
    },
  },
  {
    id: "K08",
    group: "K",
    promise:
      "A declared feature reaches the backend; one that is not declared is refused before the request.",
    why: "A manifest that promises tools gets chosen by agents.",
    fix: "Declare in manifest and `defineProvider` what is passed on, and nothing else.",
    needs: needs("sockets"),
    async run(bench) {
      for (const [feature, { wish, seen, wire }] of Object.entries(FEATURES)) {
        const stand = await replying(bench);
        if (!bench.manifest.features.includes(feature as Feature)) {
          await chatFault(stand, wish, "unsupported");
          const count = chatsOf(stand.backend).length;
          assert.equal(count, 0, `${feature} is not declared and was refused, after ${count} request(s)`);
        } else if (bench.subject.backend.cannot[wire] === undefined) {
          await plainAnswer(stand, wish);
          const asked = lastAsked(stand.backend);
          assert.ok(
            seen(asked),
            `${feature} is declared; of ${brief(Object.keys(wish))} the backend saw nothing: ${brief(asked)}`,
          );
        }
      }
    },
  },
  {
    id: "K09",
    group: "K",
    promise: "Images reach the backend with their message, all of them, and the text beside them, too.",
    why: "A model that was shown nothing describes something all the same.",
    fix: "Encode the file's bytes as the backend wants them, with their media type.",
    needs: { operations: ["chat"], features: ["vision"], wire: ["images", "sockets"] },
    async run(bench) {
      const stand = await bench.start();
      for (const count of [2, 1]) {
        const [
          {
            content: [text, image],
          },
        ] = withImage;
        const content = [text, ...Array.from({ length: count }, () => image)];
        await answer(stand, { messages: [{ role: "user", content }] });
        const seen = lastAsked(stand.backend).messages?.[0]?.images ?? 0;
        assert.equal(seen, count, `${count} image(s) were sent with one message; the backend saw ${seen}`);
      }
      const { messages = [] } = lastAsked(stand.backend);
      assert.equal(
        messages[0]?.text,
        "What is this?",
        `the text beside it; the backend saw ${brief(messages[0]?.text)}`,
      );
      const [{ body } = { body: undefined }] = chatsOf(stand.backend);
      const whole = JSON.stringify(body).includes(IMAGE.toString("base64").slice(0, 40));
      assert.ok(whole, "the image's bytes, as base64, are not in the request");
    },
  },
  {
    id: "K10",
    group: "K",
    promise: "Every message reaches the backend, in its order, with its role and each of its characters.",
    why: "Trimmed code does not run, and a system message in the wrong place is none.",
    fix: "Map messages one by one; do not trim, merge or normalise.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start();
      const messages: ChatRequest["messages"] = [
        { role: "system", content: "Indent by two.\n" },
        user('  if (a < b) {\n\tgo("→ 東");\n  }\n'),
        {
          role: "assistant",
          content: [
            { type: "text", text: "Like " },
            { type: "text", text: "this." },
          ],
        },
        user("<b>&amp; again</b> \\n 🗼"),
        { role: "assistant", content: "Yes." },
        {
          role: "user",
          content: [
            { type: "text", text: "In two " },
            { type: "text", text: "parts." },
          ],
        },
        { role: "assistant", content: "Go on." },
        user(`A long one: ${"x".repeat(20_000)}`),
      ];
      await answer(stand, { messages });
      const sent = (lastAsked(stand.backend).messages ?? []).map(({ role, text }) => [role, text]);
      const given = messages.map(({ role, content }) => [role, textOf(content)]);
      assert.deepEqual(
        sent.map(([role]) => role),
        given.map(([role]) => role),
        `the roles sent were ${brief(given.map(([role]) => role))}; the backend saw ${brief(sent.map(([role]) => role))}`,
      );
      for (const [index, [role, text = ""]] of given.entries()) {
        const seen = sent[index]?.[1] ?? "";
        assert.equal(
          seen,
          text,
          `message ${index + 1} (${role}) was ${brief(text, 80)}, ${text.length} characters; the backend saw ${brief(seen, 80)}, ${seen.length}`,
        );
      }
    },
  },
  {
    id: "K11",
    group: "K",
    promise: "The model that was asked for is the one that the backend is asked for.",
    why: "A default that wins over the request answers from the wrong model, and bills for it.",
    fix: "Send `request.model` as it is.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start();
      const { model } = await answer(stand);
      const { model: sent } = lastAsked(stand.backend);
      assert.equal(sent, stand.model, `asked for ${stand.model}; the backend was asked for ${sent}`);
      assert.equal(model, stand.model, `asked for ${stand.model}; the answer says it is from ${model}`);
      if (!bench.manifest.operations.includes("embed")) return;
      const embedding = stand.backend.models.embedding;
      await ok("embed", stand.provider.embed?.({ model: embedding, texts: ["One."] }) ?? fail("no embed"));
      const { model: other } = lastAsked(stand.backend, "embed");
      assert.equal(other, embedding, `asked to embed with ${embedding}; the backend was asked for ${other}`);
    },
  },
  {
    id: "K12",
    group: "K",
    promise: "A provider bears the name that it was created under, and so do its errors.",
    why: "Two servers of one kind are two names in the application; under one name nobody knows which of them failed.",
    fix: "Take the name from `create(settings, { name })`, as `defineProvider` hands it on; never the plugin's id.",
    async run(bench) {
      const { plugin, settings } = bench.subject;
      const { backend } = await bench.start();
      const made = typeof plugin === "function" ? await plugin() : plugin;
      const given = { ...backend.settings, ...settings(backend) };
      const provider = made.create(given as never, { name: "kit-second", models: [] });
      try {
        assert.equal(
          provider.name,
          "kit-second",
          `created as kit-second, the provider is called ${provider.name}`,
        );
      } finally {
        await provider.close();
      }
      if (provider.stream === undefined) return;
      const work = generate(provider, requestFor({ provider, backend, model: backend.models.chat }));
      const fault = await refused("a chat after close()", work, "shut-down");
      assert.equal(fault.provider, "kit-second", `created as kit-second, its error is of ${fault.provider}`);
    },
  },
];

/** What asks for each feature, and how the backend sees it. */
const FEATURES: Readonly<Record<Feature, FeatureTrial>> = {
  tools: { wish: { tools }, wire: "calls", seen: (asked) => asked.tools?.length === 1 },
  "json-schema": { wish: { responseFormat }, wire: "schema", seen: (asked) => asked.schema !== undefined },
  reasoning: {
    wish: { reasoning: "low" },
    wire: "reasoning-levels",
    seen: (asked) => asked.reasoning !== undefined,
  },
  vision: {
    wish: { messages: withImage },
    wire: "images",
    seen: (asked) => asked.messages?.[0]?.images === 1,
  },
};

interface FeatureTrial {
  readonly wish: Partial<ChatRequest>;
  readonly wire: WireAbility;
  readonly seen: (asked: Asked) => boolean;
}

/** A backend whose answer is good JSON, too. */
const replying = (bench: Bench): Promise<Stand> =>
  bench.start({ chats: [{ steps: [{ text: JSON.stringify({ ok: true }) }] }] });

/** Requests with all that the plugin declares in them. */
function richWishes({ manifest: { features } }: Bench): readonly Partial<ChatRequest>[] {
  const withTools = features.includes("tools");
  const called: ChatRequest["messages"] = [
    {
      role: "assistant",
      content: [
        { type: "text", text: "Let me look." },
        { type: "tool-call", id: "first", name: "get_weather", input: { city: "Oslo" } },
      ],
    },
    {
      role: "tool",
      content: [{ type: "tool-result", id: "first", name: "get_weather", output: { celsius: 7 } }],
    },
  ];
  const messages: ChatRequest["messages"] = [
    { role: "system", content: "Be brief." },
    ...(features.includes("vision") ? withImage : [user("What is this?")]),
    { role: "assistant", content: [{ type: "text", text: "Nothing." }] },
    user("And now?"),
    ...(withTools ? called : []),
  ];
  const all: Partial<ChatRequest> = {
    messages,
    stop: ["END", "STOP"],
    temperature: 0.5,
    providerOptions: { "kit-other": { deep: { list: [1, 2] } } },
    unsupported: "warn",
  };
  return [
    withTools ? { ...all, tools } : all,
    ...(features.includes("json-schema") ? [{ ...all, responseFormat }] : []),
  ];
}

/** Bytes cannot be frozen; all else is. */
function frozen<Value>(value: Value): Value {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

/** Whether the last chat's request has the option, with the value of `OPTIONS`. */
function arrived(option: string, { backend }: Stand): boolean {
  const asked = lastAsked(backend);
  const seen = option === "keepAlive" ? asked.keepAliveMs : asked[option as keyof Asked];
  return isDeepStrictEqual(seen, OPTIONS[option as keyof typeof OPTIONS]);
}

const textOf = (content: ChatRequest["messages"][number]["content"]): string =>
  typeof content === "string"
    ? content
    : content.map((part) => (part.type === "text" ? part.text : "")).join("");
