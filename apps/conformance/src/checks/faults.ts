import assert from "node:assert/strict";

import { type ChatEvent, type LlmError, requireOperation } from "@enginehouse/llm-core";

import type { Bench, Check, Stand } from "../check.ts";
import type { ChatScript, Refusal, Scenario, Step } from "../scenario.ts";
import {
  answer,
  can,
  chatsSeen,
  excerpt,
  faultOf,
  readEvents,
  readFault,
  shown,
  textOf,
  typesOf,
} from "./asking.ts";
import { fakeClock } from "./fake-clock.ts";
import { SOON, within } from "./within.ts";

const BEGIN: readonly Step[] = [{ text: "Half an " }, { text: "answer" }];
const HALF = "Half an answer";

interface Failed {
  readonly fault: LlmError;
  readonly events: readonly ChatEvent[];
  readonly stand: Stand;
}

/** The error of one chat. */
async function failing(
  bench: Bench,
  scenario: Scenario,
  expected: string,
  timeouts?: object,
): Promise<Failed> {
  const stand = await bench.start(scenario);
  return {
    stand,
    ...(await readFault(answer(stand, {}, timeouts === undefined ? {} : { timeouts }), expected)),
  };
}

const refused = (bench: Bench, refusal: Refusal, expected: string): Promise<Failed> =>
  failing(bench, { chats: [{ refusal }] }, expected);

/** A stream that breaks as scripted: the code is `stream-interrupted`, and what had arrived is kept. */
async function interrupted(bench: Bench, script: ChatScript, how: string): Promise<void> {
  const { fault, events } = await failing(bench, { chats: [script] }, `stream-interrupted after ${how}`);
  assert.equal(fault.code, "stream-interrupted", `${how}, and the error is ${shown(fault)}`);
  assertPartial(fault, events, how, can(bench, "text"));
}

function assertPartial(fault: LlmError, events: readonly ChatEvent[], how: string, exact: boolean): void {
  const { partial } = fault;
  const text = textOf(events);
  assert.ok(partial !== undefined, `${how} after ${excerpt(text)}, and the error has no partial answer`);
  // What came in one read with the fault is in `partial` and may not have been handed out.
  const holds = partial.text.startsWith(text) && (!exact || HALF.startsWith(partial.text));
  assert.ok(holds, `${excerpt(text)} had arrived, partial holds ${excerpt(partial.text)}`);
}

export const FAULT_CHECKS: readonly Check[] = [
  {
    id: "F01",
    group: "F",
    promise: "A body that is cut short is stream-interrupted, with what had arrived in partial.",
    why: "Half an answer that looks whole is the worst answer: nobody asks again.",
    fix: "Throw stream-interrupted when the bytes end and the backend's last piece has not come.",
    needs: { operations: ["chat"], wire: ["cuts"] },
    run: (bench) => interrupted(bench, { steps: [...BEGIN, { cut: "close" }] }, "the body was cut short"),
  },
  {
    id: "F02",
    group: "F",
    promise:
      "A connection that breaks in the middle of an answer is stream-interrupted, with what had arrived in partial.",
    why: "A server that crashes resets its connections; the same request may be sent again, elsewhere.",
    fix: "Turn the transport's error into stream-interrupted once a part of the answer has come; keep it as the cause.",
    needs: { operations: ["chat"], wire: ["cuts"] },
    run: (bench) =>
      interrupted(bench, { steps: [...BEGIN, { pause: 10 }, { cut: "reset" }] }, "the connection was reset"),
  },
  {
    id: "F03",
    group: "F",
    promise: "An error inside a stream, after status 200, is thrown with the backend's words.",
    why: "Most faults of a model come when the status has been sent long ago; who drops them shows half an answer as whole.",
    fix: "Look for the wire's error piece before anything else in each piece, and throw it.",
    needs: { operations: ["chat"], wire: ["in-band-error"] },
    async run(bench) {
      const words = "the runner has no more layers";
      const script: ChatScript = { steps: [...BEGIN, { error: words }] };
      const { fault, events } = await failing(
        bench,
        { chats: [script] },
        "the error that came inside the stream",
      );
      assert.ok(
        fault.message.includes(words),
        `the backend said ${excerpt(words)}, the error says ${excerpt(fault.message, 200)}`,
      );
      assertPartial(fault, events, "an error came inside the stream", can(bench, "text"));
    },
  },
  {
    id: "F04",
    group: "F",
    promise: "A piece that is not of the protocol is invalid-response.",
    why: "A piece that is skipped in silence is a hole in the answer.",
    fix: "Let a piece that cannot be parsed end the stream with invalid-response: no catch that goes on.",
    needs: { operations: ["chat"], wire: ["malformed"] },
    async run(bench) {
      const script: ChatScript = { steps: [...BEGIN, { malformed: '{"this is no' }, { text: " more" }] };
      const { fault } = await failing(
        bench,
        { chats: [script] },
        "invalid-response for a piece that is no JSON",
      );
      assert.equal(fault.code, "invalid-response", `a piece was no JSON, and the error is ${shown(fault)}`);
    },
  },
  {
    id: "F05",
    group: "F",
    promise: "A backend that is not there is unavailable, with a hint of what to do.",
    why: "It is the first error that every user meets: they forgot to start the backend.",
    fix: "Map ECONNREFUSED to unavailable; the hint names the command that starts the backend.",
    needs: { operations: ["chat"], wire: ["sockets"] },
    async run(bench) {
      const { fault } = await failing(bench, { down: true }, "unavailable where nothing listens");
      assert.equal(fault.code, "unavailable", `nothing listened, and the error is ${shown(fault)}`);
      assert.ok(
        (fault.hint ?? "").length > 0,
        `nothing listened, and the error has no hint: ${fault.message}`,
      );
      assert.equal(fault.retryable, true, `nothing listened, and retryable is ${String(fault.retryable)}`);
    },
  },
  {
    id: "F06",
    group: "F",
    promise: "Status 401 is unauthenticated and 403 is forbidden; neither is retryable.",
    why: "A wrong key will not get better by asking again, and the user must hear that it is the key.",
    fix: "Map the two statuses, and leave `retryable` to the codes.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      for (const [status, code] of [
        [401, "unauthenticated"],
        [403, "forbidden"],
      ] as const) {
        const { fault } = await refused(bench, { status }, `${code} for status ${status}`);
        assert.equal(fault.code, code, `status ${status} came, and the error is ${shown(fault)}`);
        assert.equal(
          fault.retryable,
          false,
          `status ${status} came, and retryable is ${String(fault.retryable)}`,
        );
      }
    },
  },
  {
    id: "F07",
    group: "F",
    promise: "A model that the backend does not have is model-not-found.",
    why: "An application offers to pull the model, or another one; for that it must know.",
    fix: "Map the backend's 404 for a model to model-not-found, and name the pull in the hint where there is one.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      const refusal: Refusal = { status: 404, because: "model-missing" };
      const { fault } = await refused(bench, refusal, "model-not-found for a missing model");
      assert.equal(fault.code, "model-not-found", `the model was missing, and the error is ${shown(fault)}`);
    },
  },
  {
    id: "F08",
    group: "F",
    promise: "Status 429 is rate-limited, with the wait that the backend asks for.",
    why: "Who waits as long as asked gets through; who does not is locked out.",
    fix: "Read Retry-After, seconds or a date, into retryAfterMs.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      const { fault } = await refused(
        bench,
        { status: 429, retryAfterSeconds: 7 },
        "rate-limited for status 429",
      );
      assert.equal(fault.code, "rate-limited", `status 429 came, and the error is ${shown(fault)}`);
      assert.equal(
        fault.retryAfterMs,
        7_000,
        `Retry-After was 7 s, and retryAfterMs is ${String(fault.retryAfterMs)}`,
      );
      assert.equal(fault.retryable, true, `status 429 came, and retryable is ${String(fault.retryable)}`);
    },
  },
  {
    id: "F09",
    group: "F",
    promise: "Status 500 and 503 are retryable.",
    why: "They are what failover and retry are for; what is not retryable is given up.",
    fix: "Set retryable for 5xx; a code of its own is right only where the backend's words say more.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      for (const status of [500, 503]) {
        const { fault } = await refused(bench, { status }, `a retryable error for status ${status}`);
        assert.equal(
          fault.retryable,
          true,
          `status ${status} came, and retryable is ${String(fault.retryable)}: ${shown(fault)}`,
        );
      }
    },
  },
  {
    id: "F10",
    group: "F",
    promise: "A web page in place of an error is told in one line, without its markup.",
    why: "A proxy in front of a dead backend answers with a page; nobody wants to read HTML in a log.",
    fix: "Look whether the body is JSON; of anything else keep the status, and at most an excerpt without tags.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      const { fault } = await refused(bench, { status: 502, body: "html" }, "an error for status 502");
      assert.ok(!/<\w+/.test(fault.message), `the message holds markup: ${excerpt(fault.message, 200)}`);
      assert.ok(
        !fault.message.includes("\n"),
        `the message has several lines: ${excerpt(fault.message, 200)}`,
      );
      assert.equal(fault.status, 502, `the status is ${String(fault.status)}`);
    },
  },
  {
    id: "F11",
    group: "F",
    promise:
      "A backend that falls silent in the middle of an answer is a timeout after timeouts.idle, and its connection is closed.",
    why: "Without a limit of their own, silent connections pile up until nothing works.",
    fix: "Run a clock between two signs of life while you wait for the backend; when it rings, abort the request.",
    needs: { operations: ["chat"], wire: ["cuts", "slow-text"] },
    async run(bench) {
      const script: ChatScript = { steps: [...BEGIN, { pause: "forever" }] };
      const { fault, stand } = await failing(
        bench,
        { chats: [script] },
        "timeout of 80 ms in the middle of an answer",
        { idle: 80 },
      );
      assert.equal(fault.code, "timeout", `the backend fell silent, and the error is ${shown(fault)}`);
      assert.equal(fault.phase, "stream", `the backend fell silent, and the phase is ${String(fault.phase)}`);
      await closed(stand);
    },
  },
  {
    id: "F12",
    group: "F",
    promise:
      "Waiting for the first event has the limit of timeouts.firstEvent and no other: five minutes are not too long.",
    why: "Loading a large model on a small machine takes longer than the 300 s after which Node's own fetch gives up.",
    fix: "Use node:http, or an undici Agent with headersTimeout and bodyTimeout 0, and a clock of your own.",
    needs: { operations: ["chat"], wire: ["headers", "sockets"] },
    async run(bench) {
      const clock = fakeClock();
      const controller = new AbortController();
      let thrown: unknown;
      try {
        const stand = await bench.start({ chats: [{ headersAfter: "never" }] });
        const timeouts = { firstEvent: 400_000, idle: 900_000 };
        const events: ChatEvent[] = [];
        const work = (async (): Promise<void> => {
          for await (const event of answer(stand, {}, { signal: controller.signal, timeouts }))
            events.push(event);
        })().catch((error: unknown) => (thrown = error));
        await stand.backend.seen.until(
          () => chatsSeen(stand.backend).length > 0,
          "the chat request to arrive",
        );
        // Node's fetch says so, and has a timer that other calls may have set.
        if ("sec-fetch-mode" in (chatsSeen(stand.backend)[0]?.headers ?? {})) await clock.takeOver();
        await clock.pass(350_000, () => thrown !== undefined);
        assert.equal(
          thrown,
          undefined,
          `the limit was 400 s, and before 350 s had passed the call failed: ${shown(thrown)}`,
        );
        const gone = chatsSeen(stand.backend)[0]?.leftAt;
        assert.equal(
          gone,
          undefined,
          "the limit was 400 s, and the connection was closed before 350 s had passed",
        );
        await clock.pass(100_000, () => thrown !== undefined);
        assert.ok(thrown !== undefined, "the limit was 400 s, and after 450 s the call still waits");
        assert.equal(
          (thrown as LlmError).code,
          "timeout",
          `the limit of 400 s passed, and the error is ${shown(thrown)}`,
        );
        await work;
      } finally {
        clock.restore();
        controller.abort();
      }
    },
  },
  {
    id: "F13",
    group: "F",
    promise:
      "A fault is thrown once: later reads say that the stream is over, and no rejection is left unhandled.",
    why: "A second rejection that nobody awaits ends the whole process.",
    fix: "Keep no side promise that can reject; after the error the iterator is done.",
    needs: { operations: ["chat"], wire: ["cuts"] },
    async run(bench) {
      const stand = await bench.start({ chats: [{ steps: [...BEGIN, { cut: "close" }] }] });
      const iterator = answer(stand)[Symbol.asyncIterator]();
      const unhandled = await unhandledDuring(async () => {
        let faults = 0;
        let after = 0;
        for (let reads = 0; after < 3; reads += 1) {
          assert.ok(reads < 100, "the stream never ended");
          if (faults > 0) after += 1;
          const read = await within(SOON, iterator.next(), "the next event").catch((error: unknown) => {
            faults += 1;
            assert.equal(faults, 1, `the stream failed a second time: ${shown(error)}`);
          });
          if (faults > 0 && read !== undefined)
            assert.equal(
              read.done,
              true,
              `after its error the stream went on with ${read.done === true ? "" : read.value.type}`,
            );
          else if (read?.done === true) break;
        }
        assert.equal(faults, 1, "the body was cut short, and the stream ended without an error");
      });
      assert.ok(
        unhandled.map(shown).length === 0,
        `a rejection was left unhandled: ${unhandled.map(shown).join("; ")}`,
      );
    },
  },
  {
    id: "F14",
    group: "F",
    promise: "An error names its provider, operation, model, phase and status.",
    why: "A log line without them is a riddle: many calls to many backends fail in one second.",
    fix: "Fill status and phase where the fault is found; the core adds provider, operation and model where defineProvider made the plugin.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      const { fault, stand } = await refused(bench, { status: 500 }, "an error for status 500");
      const expected = {
        provider: stand.provider.name,
        operation: "chat",
        model: stand.model,
        phase: "request",
        status: 500,
      };
      for (const [field, value] of Object.entries(expected)) {
        const found = fault[field as keyof LlmError];
        assert.equal(found, value, `the error's ${field} is ${String(found)}, not ${value}`);
      }
    },
  },
  {
    id: "F15",
    group: "F",
    promise: "A provider asks once: it never retries by itself.",
    why: "Retries multiply from layer to layer; only the application knows whether, where and how often to try again.",
    fix: "Switch the retries of the backend's SDK off (`maxRetries: 0`).",
    needs: { operations: ["chat"], wire: ["http-status", "sockets"] },
    async run(bench) {
      for (const status of [500, 503, 429]) {
        const { stand } = await refused(
          bench,
          { status, retryAfterSeconds: 0 },
          `an error for status ${status}`,
        );
        const { length } = chatsSeen(stand.backend);
        assert.equal(
          length,
          1,
          `one call was answered with status ${status}, and ${length} requests arrived`,
        );
      }
      if (!bench.manifest.operations.includes("list")) return;
      const { provider, backend } = await bench.start({ refusesAll: { status: 503 } });
      await faultOf(requireOperation(provider, "list")(), "an error of listModels for status 503");
      const asked = backend.seen.requests.map(({ method, path }) => `${method} ${path}`);
      const twice = asked.find((one, index) => asked.indexOf(one) < index);
      assert.equal(
        twice,
        undefined,
        `listModels was answered with status 503, and asked again: ${asked.join(", ")}`,
      );
    },
  },
  {
    id: "F16",
    group: "F",
    promise:
      "A body that ends politely without the backend's last piece is stream-interrupted, also after text.",
    why: "Servers and proxies that die in the middle often close the body as if all were well.",
    fix: "An end of the bytes is no end of the answer: only the wire's last piece is.",
    needs: { operations: ["chat"], wire: ["cuts"] },
    run: (bench) =>
      interrupted(bench, { steps: BEGIN, end: "none" }, "the body ended without the last piece"),
  },
  {
    id: "F17",
    group: "F",
    promise: "An empty piece before a polite end is no finish: the answer is stream-interrupted.",
    why: "A server that hides the death of its model's runner sends just this: an empty piece, then a clean end.",
    fix: "Take nothing for the end but the finish reason or the wire's last piece.",
    needs: { operations: ["chat"], wire: ["cuts", "lines"] },
    run: (bench) =>
      interrupted(
        bench,
        { steps: [...BEGIN, { empty: true }], end: "none" },
        "an empty piece came, then the end",
      ),
  },
  {
    id: "F18",
    group: "F",
    promise:
      "An error that means that the output limit cut a call is output-invalid, with a hint about maxTokens.",
    why: "Some servers fail with a parse error when a tool call does not fit: the user must hear that the limit was too low.",
    fix: "Recognise the backend's wording, and say `raise maxTokens` in the hint.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      const { fault } = await refused(
        bench,
        { status: 500, because: "output-cut" },
        "output-invalid for a call that was cut",
      );
      assert.equal(fault.code, "output-invalid", `the limit cut a call, and the error is ${shown(fault)}`);
      assert.match(
        fault.hint ?? "",
        /maxTokens/,
        `the hint does not name maxTokens: ${fault.hint ?? "there is none"}`,
      );
    },
  },
  {
    id: "F19",
    group: "F",
    promise: "A web page with status 200 is invalid-response, never an answer.",
    why: "A wrong address often leads to a friendly web site.",
    fix: "Let everything that is not of the protocol fail, and ask in the hint whether the address is a model server's.",
    needs: { operations: ["chat"], wire: ["http-status"] },
    async run(bench) {
      const { fault } = await refused(bench, { status: 200, body: "html" }, "an error for a web page");
      assert.equal(fault.code, "invalid-response", `a web page came, and the error is ${shown(fault)}`);
    },
  },
  {
    id: "F20",
    group: "F",
    promise:
      "A backend that sends nothing is a timeout after timeouts.firstEvent, and its connection is closed.",
    why: "A user interface that promises an answer within a minute must be able to keep it.",
    fix: "Run the clock from the start of the call to the first byte; when it rings, abort the request.",
    needs: { operations: ["chat"], wire: ["headers", "sockets"] },
    async run(bench) {
      const scenario: Scenario = { chats: [{ headersAfter: "never" }] };
      const { fault, stand } = await failing(bench, scenario, "timeout of 80 ms before the first event", {
        firstEvent: 80,
      });
      assert.equal(fault.code, "timeout", `nothing came, and the error is ${shown(fault)}`);
      assert.equal(fault.phase, "first-event", `nothing came, and the phase is ${String(fault.phase)}`);
      await closed(stand);
    },
  },
  {
    id: "F21",
    group: "F",
    promise: "A call that is not over after timeouts.total is a timeout, however lively the backend is.",
    why: "A model that repeats itself for ever sends a sign of life with each word.",
    fix: "Run one clock from the start of the call that no event resets.",
    needs: { operations: ["chat"], wire: ["slow-text"] },
    async run(bench) {
      const steps: readonly Step[] = Array.from(
        { length: 40 },
        () => [{ text: "again " }, { pause: 25 }] as const,
      ).flat();
      const { fault } = await failing(bench, { chats: [{ steps }] }, "timeout of 120 ms for the whole call", {
        total: 120,
      });
      assert.equal(
        fault.code,
        "timeout",
        `the call took longer than its limit, and the error is ${shown(fault)}`,
      );
    },
  },
  {
    id: "F22",
    group: "F",
    promise:
      "A fault leaves the provider as it was: the next one is told like the first, and the call after it works.",
    why: "One broken answer must not take a service down until somebody restarts it.",
    fix: "Keep no state of a call in the provider; throw a broken connection away.",
    needs: { operations: ["chat"], wire: ["cuts"] },
    async run(bench) {
      const cut: ChatScript = { steps: [...BEGIN, { cut: "close" }] };
      const stand = await bench.start({ chats: [cut, cut, cut, { steps: BEGIN }] });
      let first: LlmError["code"] | undefined;
      for (const which of ["first", "second", "third"]) {
        const { fault } = await readFault(
          answer(stand),
          `stream-interrupted after the ${which} body that was cut short`,
        );
        first ??= fault.code;
        assert.equal(
          fault.code,
          first,
          `the first body that was cut short was ${first}, the ${which} is ${shown(fault)}`,
        );
      }
      const events = await readEvents(answer(stand));
      assert.equal(
        textOf(events),
        HALF,
        `the call after a fault gave ${excerpt(textOf(events))}: ${typesOf(events)}`,
      );
    },
  },
  {
    id: "F23",
    group: "F",
    promise:
      "A reader that takes its time is no silent backend: no limit but the total one runs while nobody asks.",
    why: "A user interface that waits for its user, or a service for its client, would lose a good answer to a timeout.",
    fix: "Stop the clock when a piece has come, and start it when the next one is asked for.",
    needs: { operations: ["chat"], wire: ["slow-text"] },
    async run(bench) {
      const steps: readonly Step[] = [{ text: "Half an " }, { pause: 30 }, { text: "answer" }];
      const stand = await bench.start({ chats: [{ steps }] });
      const events: ChatEvent[] = [];
      let slow = false;
      const read = async (): Promise<void> => {
        for await (const event of answer(stand, {}, { timeouts: { firstEvent: SOON, idle: IDLE } })) {
          events.push(event);
          if (event.type !== "text-delta" || slow) continue;
          slow = true;
          await new Promise((resolve) => void setTimeout(resolve, 2 * IDLE));
        }
      };
      await within(2 * SOON, read(), "the answer that is read slowly").catch((error: unknown) => {
        const seen = `${2 * IDLE} ms passed between two reads, the limit of silence was ${IDLE} ms`;
        assert.fail(`${seen}, and after ${typesOf(events)} the call failed: ${shown(error)}`);
      });
      assert.equal(events.at(-1)?.type, "finish", `the slow reader got ${typesOf(events)}`);
    },
  },
];

/** Milliseconds; a backend that is not silent must not come near it, however busy the machine is. */
const IDLE = 300;

/** Waits until the backend sees that the client has gone. */
async function closed({ backend }: Stand): Promise<void> {
  const chats = (): boolean => chatsSeen(backend).every(({ leftAt }) => leftAt !== undefined);
  await backend.seen.until(
    () => backend.seen.generating === 0 && chats(),
    "the connection to be closed after the timeout",
    500,
  );
}

/** Rejections that nobody handled while `run` ran, and shortly after. */
async function unhandledDuring(run: () => Promise<void>): Promise<readonly unknown[]> {
  const unhandled: unknown[] = [];
  const others = process.listeners("unhandledRejection");
  const note = (error: unknown): void => void unhandled.push(error);
  process.removeAllListeners("unhandledRejection");
  process.on("unhandledRejection", note);
  try {
    await run();
    await new Promise((resolve) => void setTimeout(resolve, 10));
  } finally {
    process.off("unhandledRejection", note);
    for (const other of others) process.on("unhandledRejection", other);
  }
  return unhandled;
}
