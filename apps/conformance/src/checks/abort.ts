import assert from "node:assert/strict";
import { getEventListeners } from "node:events";

import { type ChatEvent, type LlmError, requireOperation } from "@enginehouse/llm-core";

import type { Bench, Check, Stand } from "../check.ts";
import type { ChatScript } from "../scenario.ts";
import {
  answer,
  can,
  chatsSeen,
  excerpt,
  faultOf,
  readEvents,
  readFault,
  textOf,
  typesOf,
} from "./asking.ts";
import { SOON, within } from "./within.ts";

/** How soon a cancelled call must be over, for its caller and at the backend, in milliseconds. */
const PROMPT = 250;

const ENDLESS: ChatScript = { steps: [{ text: "One " }, { pause: "forever" }] };

const why = {
  name: "StopButton",
  message: "the user pressed stop",
};
/** A reason that can be told from any other. */
const reason = (): Error => Object.assign(new Error(why.message), { name: why.name });

/** Waits until nothing of the call goes on at the backend. */
async function stopped(
  bench: Bench,
  { backend }: Stand,
  operation: "chat" | "embed" | "pull" | "load",
): Promise<void> {
  const watchesSockets = can(bench, "sockets");
  await backend.seen.until(
    ({ requests, generating }) =>
      (operation !== "chat" || generating === 0) &&
      (!watchesSockets ||
        requests.every(
          (one) => one.operation !== operation || one.leftAt !== undefined || one.answeredAt !== undefined,
        )),
    `the ${operation} to be stopped at the backend: its socket closed, nothing generating`,
    2 * PROMPT,
  );
}

/** Aborts, and gives the error with which the call ends. */
async function cancelled(work: Promise<unknown>, cancel: () => void): Promise<LlmError> {
  const ended = faultOf(work, "aborted", () => "the call ended as if nothing had happened");
  ended.catch(() => undefined);
  cancel();
  const fault = await within(PROMPT, ended, "the call to end after its abort");
  assert.equal(
    fault.code,
    "aborted",
    `the call was aborted, and its error is ${fault.code}: ${fault.message}`,
  );
  return fault;
}

/** Reads events into `into` and calls `onText` at the first text. */
async function reading(
  stream: AsyncIterable<ChatEvent>,
  into: ChatEvent[],
  onText?: () => void,
): Promise<void> {
  let told = false;
  for await (const event of stream) {
    into.push(event);
    if (told || event.type !== "text-delta") continue;
    told = true;
    onText?.();
  }
}

/** A stream that is read until its first text, and on in the background. */
async function begun(
  stand: Stand,
  signal: AbortSignal,
): Promise<{ ended: Promise<void>; events: ChatEvent[] }> {
  const events: ChatEvent[] = [];
  let arrived = (): void => undefined;
  const text = new Promise<void>((resolve) => (arrived = resolve));
  const ended = reading(answer(stand, {}, { signal }), events, () => arrived());
  ended.catch(() => undefined);
  await within(SOON, Promise.race([text, ended]), "the first text of the answer");
  return { ended, events };
}

/** Calls at the same time. */
const LANES = 20;

/** A10 with so many calls: a thousand in the kit, fewer where many wrong providers are tried. */
export const listenersCheck = (calls: number): Check => ({
  id: "A10",
  group: "A",
  promise: "A thousand calls with one signal leave no listener on it.",
  why: "A service hands one signal to all its calls for days: each listener that stays keeps its call's memory.",
  fix: "Remove the listener when the call ends, in every way in which it can end; AbortSignal.any() of a long-lived signal counts, too.",
  needs: { operations: ["chat"] },
  limitMs: 30_000,
  async run(bench) {
    const stand = await bench.start();
    const { signal } = new AbortController();
    const one = async (): Promise<void> => {
      for (let count = 0; count < calls / LANES; count += 1) {
        for await (const event of answer(stand, {}, { signal })) void event;
      }
    };
    await within(20_000, Promise.all(Array.from({ length: LANES }, one)), `${calls} calls to end`);
    const { length } = getEventListeners(signal, "abort");
    assert.equal(length, 0, `after ${calls} calls ${length} listeners are on the signal`);
  },
});

export const ABORT_CHECKS: readonly Check[] = [
  {
    id: "A01",
    group: "A",
    promise: "A call whose signal is aborted already sends nothing, and ends with aborted.",
    why: "A request that nobody waits for costs money and a place in the queue.",
    fix: "Call signal.throwIfAborted() before anything is sent, also after each thing that is awaited first.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const stand = await bench.start();
      const { fault } = await readFault(
        answer(stand, {}, { signal: AbortSignal.abort(reason()) }),
        "aborted",
      );
      assert.equal(
        fault.code,
        "aborted",
        `the signal was aborted before the call, and the error is ${fault.code}`,
      );
      await new Promise((resolve) => void setTimeout(resolve, 20));
      const { length } = chatsSeen(stand.backend);
      assert.equal(length, 0, `the signal was aborted before the call, and ${length} request(s) arrived`);
    },
  },
  {
    id: "A02",
    group: "A",
    promise:
      "An abort before the backend's first byte ends the call within 250 ms and closes its connection.",
    why: "Loading and reading a long prompt take minutes; this is when users press stop, and most adapters go on.",
    fix: "Hand the signal of the call to the request itself, not only to the reading of its body. A real server may finish what it computes; its socket must be closed.",
    needs: { operations: ["chat"], wire: ["headers", "sockets"] },
    async run(bench) {
      const stand = await bench.start({ chats: [{ headersAfter: "never" }] });
      const controller = new AbortController();
      const work = reading(answer(stand, {}, { signal: controller.signal }), []);
      work.catch(() => undefined);
      await stand.backend.seen.until(() => chatsSeen(stand.backend).length > 0, "the chat request to arrive");
      await cancelled(work, () => controller.abort(reason()));
      await stopped(bench, stand, "chat");
    },
  },
  {
    id: "A03",
    group: "A",
    promise: "An abort in the middle of an answer ends the call within 250 ms and stops the backend.",
    why: "A backend that goes on fills the only place on a GPU with an answer that nobody reads.",
    fix: "Destroy the response when the signal fires; a promise that rejects while the socket stays open stops nothing.",
    needs: { operations: ["chat"], wire: ["slow-text"] },
    async run(bench) {
      const stand = await bench.start({ chats: [ENDLESS] });
      const controller = new AbortController();
      const { ended } = await begun(stand, controller.signal);
      await cancelled(ended, () => controller.abort(reason()));
      await stopped(bench, stand, "chat");
    },
  },
  {
    id: "A04",
    group: "A",
    promise: "Leaving the loop stops the backend.",
    why: "`break` is how most code stops reading; nobody can abort a signal that was never given.",
    fix: "Give the iterator a return() that closes the response, as a generator's `finally` does.",
    needs: { operations: ["chat"], wire: ["slow-text"] },
    async run(bench) {
      const stand = await bench.start({ chats: [ENDLESS] });
      const leave = async (): Promise<void> => {
        for await (const event of answer(stand)) if (event.type === "text-delta") break;
      };
      await within(SOON, leave(), "the loop to be left");
      await stopped(bench, stand, "chat");
    },
  },
  {
    id: "A05",
    group: "A",
    promise:
      "An aborted call fails with aborted, the signal's reason as its cause, and what had arrived in partial.",
    why: "A service must tell its user's stop from a fault, keep what was written, and not try again.",
    fix: "Throw the LlmError aborted with `cause: signal.reason` and the partial answer: never end as if the answer were whole.",
    needs: { operations: ["chat"], wire: ["slow-text"] },
    async run(bench) {
      const stand = await bench.start({ chats: [ENDLESS] });
      const controller = new AbortController();
      const given = reason();
      const { ended, events } = await begun(stand, controller.signal);
      const fault = await cancelled(ended, () => controller.abort(given));
      assert.equal(fault.cause, given, `the cause is not the reason of the abort: ${String(fault.cause)}`);
      const text = textOf(events);
      const partial = fault.partial?.text;
      assert.equal(
        partial,
        text,
        `${excerpt(text)} had arrived, partial holds ${partial === undefined ? "nothing" : excerpt(partial)}`,
      );
      assert.notEqual(fault.retryable, true, "an aborted call is said to be retryable");
    },
  },
  {
    id: "A06",
    group: "A",
    promise: "Aborting one call leaves the others alone.",
    why: "One user's stop button must not cut off everybody else.",
    fix: "Abort the request of this call: no client-wide abort, no shared controller, no closed agent.",
    needs: { operations: ["chat"], wire: ["slow-text"] },
    async run(bench) {
      const text = "This one goes on.";
      const whole: ChatScript = { steps: [{ text: "This one " }, { pause: 120 }, { text: "goes on." }] };
      const stand = await bench.start({ chats: [ENDLESS, whole] });
      const controller = new AbortController();
      const first = await begun(stand, controller.signal);
      const second = await begun(stand, new AbortController().signal);
      await cancelled(first.ended, () => controller.abort(reason()));
      await within(SOON, second.ended, "the other answer").catch((error: unknown) => {
        assert.fail(`one of two calls was aborted, and the other failed: ${String(error)}`);
      });
      const arrived = textOf(second.events);
      assert.equal(
        arrived,
        text,
        `one of two calls was aborted, and the other gave ${excerpt(arrived)} only`,
      );
    },
  },
  {
    id: "A07",
    group: "A",
    promise: "An abort after the finish changes nothing, and the next call works.",
    why: "A page that is closed after the answer aborts a signal that has done its work.",
    fix: "Take the listener off the signal when the call is over; look at the abort only while the call runs.",
    needs: { operations: ["chat"] },
    async run(bench) {
      const stand = await bench.start();
      const controller = new AbortController();
      const events = await readEvents(answer(stand, {}, { signal: controller.signal }));
      controller.abort(reason());
      await new Promise((resolve) => void setTimeout(resolve, 5));
      assert.equal(events.at(-1)?.type, "finish", `the answer ended with ${typesOf(events)}`);
      const left = chatsSeen(stand.backend).filter(({ leftAt }) => leftAt !== undefined).length;
      assert.equal(left, 0, "the answer was whole, and its connection was broken off by the late abort");
      await readEvents(answer(stand)).catch((error: unknown) => {
        assert.fail(`the call after a late abort failed: ${String(error)}`);
      });
    },
  },
  {
    id: "A08",
    group: "A",
    promise: "An abort while a model loads ends the call within 250 ms and closes its connection.",
    why: "Loading takes minutes, and a user who picked the wrong model wants to pick another one now.",
    fix: "Hand the signal to the load request.",
    needs: { operations: ["load"], wire: ["loading", "sockets"] },
    async run(bench) {
      const stand = await bench.start({ loads: [{ takesMs: 60_000 }] });
      const controller = new AbortController();
      const load = requireOperation(stand.provider, "load");
      const work = load({ model: stand.model }, { signal: controller.signal });
      work.catch(() => undefined);
      const loads = (): number =>
        stand.backend.seen.requests.filter(({ operation }) => operation === "load").length;
      await stand.backend.seen.until(() => loads() > 0, "the load request to arrive");
      await cancelled(work, () => controller.abort(reason()));
      await stopped(bench, stand, "load");
    },
  },
  {
    id: "A09",
    group: "A",
    promise: "An abort of an embedding ends it within 250 ms and closes its connection.",
    why: "Indexing sends thousands of texts; stopping it must stop it.",
    fix: "Hand the signal to every request of a batch, and send no further one after it.",
    needs: { operations: ["embed"], wire: ["headers", "sockets"] },
    async run(bench) {
      const stand = await bench.start({ embeds: [{ headersAfter: "never" }] });
      const controller = new AbortController();
      const embed = requireOperation(stand.provider, "embed");
      const model = stand.backend.models.embedding;
      const work = embed({ model, texts: ["one", "two"] }, { signal: controller.signal });
      work.catch(() => undefined);
      const embeds = (): number =>
        stand.backend.seen.requests.filter(({ operation }) => operation === "embed").length;
      await stand.backend.seen.until(() => embeds() > 0, "the embedding request to arrive");
      await cancelled(work, () => controller.abort(reason()));
      await stopped(bench, stand, "embed");
      const before = embeds();
      const late = embed({ model, texts: ["one"] }, { signal: AbortSignal.abort(reason()) });
      const fault = await faultOf(late, "aborted for an embedding whose signal was aborted before it");
      assert.equal(
        fault.code,
        "aborted",
        `the signal was aborted before the call, and the error is ${fault.code}`,
      );
      await new Promise((resolve) => void setTimeout(resolve, 20));
      assert.equal(
        embeds(),
        before,
        "the signal was aborted before the call, and an embedding request arrived",
      );
    },
  },
  listenersCheck(1_000),
  {
    id: "A11",
    group: "A",
    promise: "An abort of a pull ends it within 250 ms and closes its connection.",
    why: "A download of the wrong model fills a disk and a line for an hour.",
    fix: "Hand the signal to the request that downloads, and end the loop over its progress.",
    needs: { operations: ["pull"], wire: ["pulling", "sockets"] },
    async run(bench) {
      const stand = await bench.start({
        models: [{ id: "kit-far", task: "chat", window: 2_048, installed: false }],
        pulls: [{ layers: [1_000_000], stepBytes: 10, stepMs: 5 }],
      });
      const controller = new AbortController();
      const pull = requireOperation(stand.provider, "pull");
      let arrived = (): void => undefined;
      const progress = new Promise<void>((resolve) => (arrived = resolve));
      const work = (async (): Promise<void> => {
        for await (const step of pull({ model: stand.model }, { signal: controller.signal })) {
          if ((step.fraction ?? 0) > 0 || (step.receivedBytes ?? 0) > 0) arrived();
        }
      })();
      work.catch(() => undefined);
      await within(SOON, Promise.race([progress, work]), "the first progress of the download");
      await cancelled(work, () => controller.abort(reason()));
      await stopped(bench, stand, "pull");
    },
  },
];
