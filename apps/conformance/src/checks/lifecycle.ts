import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

import { type ChatEvent, isLlmError, type LoadedModel } from "@enginehouse/llm-core";

import type { Check, Needs, Stand } from "../check.ts";
import { EXIT_LIMIT_MS, runInChild } from "./child.ts";
import { fakeClock } from "./fake-clock.ts";
import { PULL_CHECKS } from "./pulling.ts";
import {
  answer,
  brief,
  chatFault,
  chatsOf,
  fail,
  lastAsked,
  ok,
  refused,
  streamOf,
  watched,
  withChat,
} from "./reading.ts";
import { SOON, within } from "./within.ts";

const needs = (operations: Needs["operations"], ...wire: NonNullable<Needs["wire"]>): Needs => ({
  operations,
  wire,
});

const ownChecks: readonly Check[] = [
  {
    id: "L01",
    group: "L",
    promise:
      "health says down, and does not throw, where nothing listens, and never ok where the backend only fails.",
    why: "It is asked exactly when something is wrong.",
    fix: 'Catch everything; give `status: "down"` with what is wrong as the message.',
    needs: needs(["health"], "sockets"),
    async run(bench) {
      const stand = await bench.start({ down: true });
      const health = await healthOf(stand);
      assert.equal(
        health.status,
        "down",
        `nothing listens at ${stand.backend.address}; seen ${brief(health)}`,
      );
      assert.ok((health.message ?? "") !== "", `no message says what is wrong: ${brief(health)}`);
      if (bench.subject.backend.cannot["http-status"] !== undefined) return;
      const failing = await healthOf(await bench.start({ refusesAll: { status: 500 } }));
      assert.notEqual(
        failing.status,
        "ok",
        `the backend answers all with status 500; seen ${brief(failing)}`,
      );
    },
  },
  {
    id: "L02",
    group: "L",
    promise: "health tells the backend's version, and a hint where it is down.",
    why: "The version decides what works; the hint is the command that a new user does not know yet.",
    fix: "Ask the backend's version call; write the command that starts it, or the page that installs it.",
    needs: needs(["health"], "sockets"),
    async run(bench) {
      if (bench.subject.backend.cannot.version === undefined) {
        const health = await healthOf(await bench.start({ version: "9.8.7" }));
        assert.equal(health.status, "ok", `the backend is well; seen ${brief(health)}`);
        assert.equal(health.version, "9.8.7", `the backend tells version 9.8.7; seen ${brief(health)}`);
      }
      const health = await healthOf(await bench.start({ down: true }));
      assert.ok(
        (health.hint ?? "") !== "",
        `the backend is down, and no hint says what to do: ${brief(health)}`,
      );
      bench.saw(`hint: ${health.hint}`);
    },
  },
  {
    id: "L03",
    group: "L",
    promise: "listModels gives the same ids every time, and a chat takes them as they are.",
    why: "Ids are stored in settings and in conversations.",
    fix: "List the name that the backend's chat takes, not a title, a path or a digest.",
    needs: needs(["chat", "list"]),
    async run(bench) {
      const stand = await bench.start();
      const list = async (): Promise<readonly string[]> => {
        const models = await ok("listModels", stand.provider.listModels?.() ?? fail("no listModels"));
        return models.map(({ id }) => id).toSorted();
      };
      const [first, second] = [await list(), await list()];
      assert.deepEqual(second, first, `asked twice: ${brief(first)}, then ${brief(second)}`);
      assert.ok(first.includes(stand.model), `the backend has ${stand.model}; listed: ${brief(first)}`);
      assert.equal(new Set(first).size, first.length, `an id stands twice: ${brief(first)}`);
      const { model } = await answer(stand, { model: first.find((id) => id === stand.model) ?? stand.model });
      assert.equal(model, stand.model, `asked for ${stand.model}, the answer says it is from ${model}`);
    },
  },
  {
    id: "L04",
    group: "L",
    promise: "describeModel of an unknown model is model-not-found.",
    why: "An empty description looks like a model that can do nothing.",
    fix: "Map the backend's 404, or look the id up in its list.",
    needs: needs(["describe"]),
    async run(bench) {
      const { provider } = await bench.start();
      const work = provider.describeModel?.("kit-nowhere") ?? fail("no describeModel");
      await refused("describeModel of kit-nowhere", work, "model-not-found");
    },
  },
  {
    id: "L10",
    group: "L",
    promise: "Loading twice is no error, and tells the window that is really in force.",
    why: "Who trusts the window that was asked for fills one that is smaller.",
    fix: "Read the window back from the backend after the load.",
    needs: needs(["load"], "loading"),
    async run(bench) {
      const stand = await bench.start({ loads: [{ window: 512 }] });
      for (const turn of ["first", "second"]) {
        const loaded = await load(stand, { contextWindow: 1_024 });
        assert.equal(
          loaded.contextWindow,
          512,
          `asked for 1024, the backend loaded 512; the ${turn} load says ${loaded.contextWindow}`,
        );
        assert.equal(loaded.id, stand.model, `the ${turn} load says that it loaded ${loaded.id}`);
      }
      const there = stand.backend.seen.loaded.filter(({ id }) => id === stand.model).length;
      assert.equal(there, 1, `after two loads the backend has the model ${there} times`);
    },
  },
  {
    id: "L11",
    group: "L",
    promise:
      "What was loaded is among loadedModels, and after unloadModel it is not; unloading again is no error.",
    why: "Memory is what the next model needs.",
    fix: "Ask the backend, do not keep a list; wait until the model is out.",
    needs: needs(["load", "unload", "loaded"]),
    async run(bench) {
      const stand = await bench.start();
      const { provider, model, backend } = stand;
      const ids = async (): Promise<readonly string[]> => {
        const loaded = await ok("loadedModels", provider.loadedModels?.() ?? fail("no loadedModels"));
        return loaded.map(({ id }) => id);
      };
      await load(stand);
      assert.ok((await ids()).includes(model), `${model} was loaded; loadedModels: ${brief(await ids())}`);
      for (const turn of ["first", "second"]) {
        await ok(`the ${turn} unloadModel`, provider.unloadModel?.(model) ?? fail("no unloadModel"));
      }
      assert.ok(!(await ids()).includes(model), `${model} was unloaded; loadedModels: ${brief(await ids())}`);
      const there = backend.seen.loaded.map(({ id }) => id);
      assert.ok(!there.includes(model), `${model} was unloaded; the backend has ${brief(there)}`);
    },
  },
  {
    id: "L12",
    group: "L",
    promise: "keepAlive goes with every request that has it, 0 and Infinity too.",
    why: "A backend takes each request's word for it: one without falls back to five minutes.",
    fix: "Send it with chats, embeddings and loads alike; test for `undefined`, not for a falsy value.",
    needs: needs(undefined, "keep-alive", "sockets"),
    async run(bench) {
      const { operations } = bench.manifest;
      const stand = await bench.start();
      const { provider, backend } = stand;
      const seen = (operation: "chat" | "embed" | "load", wanted: number): void => {
        const { keepAliveMs } = lastAsked(backend, operation);
        assert.equal(
          keepAliveMs,
          wanted,
          `${operation} with keepAlive ${wanted}: the backend saw ${keepAliveMs ?? "none"}`,
        );
      };
      for (const keepAlive of [90_000, 0, Number.POSITIVE_INFINITY]) {
        if (operations.includes("chat")) {
          await answer(stand, { keepAlive });
          seen("chat", keepAlive);
        }
        if (operations.includes("embed")) {
          const model = backend.models.embedding;
          await ok("embed", provider.embed?.({ model, texts: ["One."], keepAlive }) ?? fail("no embed"));
          seen("embed", keepAlive);
        }
        if (operations.includes("load") && keepAlive !== 0) {
          await load(stand, { keepAlive });
          seen("load", keepAlive);
        }
      }
    },
  },
  {
    id: "L13",
    group: "L",
    promise:
      "close lets go of running calls before anything else, they end as shut-down, and so does every later call; closing again is no error.",
    why: "An application that ends waits for nobody, and a backend that is told to stop first breaks answers as if by accident.",
    fix: "Abort the running calls first, wait for them, and only then stop what the provider has started.",
    needs: needs(["chat"], "slow-text"),
    async run(bench) {
      const stand = await bench.start({
        chats: [{ steps: [{ text: "One moment " }, { pause: "forever" }] }],
      });
      const { provider, backend } = stand;
      const reading = readUntilFault(stand);
      await within(SOON, reading.began, "the first words");
      await ok("close()", provider.close());
      const fault = await within(SOON, reading.fault, "the running chat's end");
      if (!isLlmError(fault)) fail(`the running chat ended with ${String(fault)}, not with shut-down`);
      assert.equal(fault.code, "shut-down", `the running chat ended with ${fault.code}: ${fault.message}`);
      await ok("close() again", provider.close());
      await chatFault(stand, {}, "shut-down");
      if (provider.listModels !== undefined)
        await refused("listModels after close", provider.listModels(), "shut-down");
      if (!watched(bench)) return;
      await backend.seen.until(({ generating }) => generating === 0, "the generation to stop", 1_000);
      const { leftAt } = chatsOf(backend)[0] ?? {};
      if (leftAt === undefined) fail("the running chat's connection was not closed by the client");
      const later = backend.seen.requests.find(({ at, operation }) => at < leftAt && STOPS.has(operation));
      if (later === undefined) return;
      fail(
        `close() sent ${later.method} ${later.path} ${(leftAt - later.at).toFixed(1)} ms before it let go of the running chat`,
      );
    },
  },
  {
    id: "L14",
    group: "L",
    promise: "After close no socket, timer, watcher or child process is left.",
    why: "What a provider forgets, its host keeps: until the host ends, or for ever.",
    fix: "End pools and agents, clear timers, wait for children to be gone.",
    limitMs: 20_000,
    async run(bench) {
      const { left } = await runInChild(bench);
      assert.deepEqual(left, [], `in a process of its own, after close(): ${left.join(", ")}`);
    },
  },
  {
    id: "L15",
    group: "L",
    promise: "A process that has closed its provider ends by itself.",
    why: "A command that answers and then hangs has to be killed, by hand or by a CI job's limit.",
    fix: "Close what is open; `unref` is for what may be cut off, not for what must be finished.",
    limitMs: 20_000,
    async run(bench) {
      const { exitedAfterMs, left } = await runInChild(bench);
      if (exitedAfterMs === undefined) {
        fail(
          `${EXIT_LIMIT_MS} ms after close() the process had not ended; what keeps it: ${left.join(", ")}`,
        );
      }
      bench.saw(`ended after ${Math.round(exitedAfterMs)} ms`);
    },
  },
  {
    id: "L16",
    group: "L",
    promise: "A model that cannot be loaded is model-load-failed, for want of memory out-of-memory.",
    why: "The one asks for another file, the other for another size.",
    fix: "Map the backend's words for memory; take any other failure of a load for `model-load-failed`.",
    needs: needs(["load"], "loading", "http-status"),
    async run(bench) {
      const memory = await bench.start({ loads: [{ refusal: { status: 500, because: "out-of-memory" } }] });
      await refused("a load that the memory does not allow", load(memory, {}, true), "out-of-memory");
      const message = "the file has a wrong magic number";
      const broken = await bench.start({ loads: [{ refusal: { status: 500, message } }] });
      await refused("a load of a broken file", load(broken, {}, true), "model-load-failed");
    },
  },
  {
    id: "L17",
    group: "L",
    promise: "health answers within two seconds, where the backend takes the connection and says nothing.",
    why: "A page that asks all providers waits for the slowest.",
    fix: "Give the request a limit of its own; the core's two seconds stand behind it.",
    needs: needs(["health"], "sockets"),
    async run(bench) {
      const stand = await bench.start({ silent: true });
      const clock = fakeClock();
      let over = false;
      const health = healthOf(stand, Number.POSITIVE_INFINITY).finally(() => (over = true));
      // It is looked at below: until then its rejection is nobody's fault.
      health.catch(() => undefined);
      try {
        await clock.pass(2_100, () => over);
      } finally {
        clock.restore();
      }
      // A limit that was set inside Node runs in real time.
      for (let waited = 0; !over && waited < 2_100; waited += 50) await sleep(50);
      if (!over) fail("after more than two seconds health had not answered");
      const { status } = await health;
      assert.equal(status, "down", `the backend says nothing at all; health says ${status}`);
    },
  },
  {
    id: "L18",
    group: "L",
    promise:
      "describeModel tells what the backend tells, each ability with its source, and nothing that it does not know.",
    why: "A window that was guessed overflows, or lies idle.",
    fix: "Leave out what is not told; `unknown` needs no source, `yes` and `no` do.",
    needs: needs(["describe"]),
    async run(bench) {
      const { provider, model } = await bench.start();
      const told = await ok("describeModel", provider.describeModel?.(model) ?? fail("no describeModel"));
      assert.equal(told.id, model, `asked for ${model}, told of ${told.id}`);
      for (const [name, { value, source }] of Object.entries(told.capabilities)) {
        assert.ok(["yes", "no", "unknown"].includes(value), `${name} is ${brief(value)}`);
        assert.ok(
          value === "unknown" || source !== undefined,
          `${name} is ${value}, and nothing says who says so`,
        );
      }
      assert.notEqual(told.capabilities.chat.value, "no", `${model} can chat; told: no`);
      if (!watched(bench)) return;
      for (const name of ["tools", "vision", "reasoning", "jsonSchema"] as const)
        assert.notEqual(
          told.capabilities[name].value,
          "no",
          `the backend says that ${model} has ${name}; told: no`,
        );
      const plain = await bench.start({ models: withChat({ features: [] }) });
      const less = await ok(
        "describeModel",
        plain.provider.describeModel?.(plain.model) ?? fail("no describeModel"),
      );
      for (const name of ["tools", "vision", "reasoning"] as const) {
        const { value, source } = less.capabilities[name];
        assert.ok(
          value !== "yes" || source !== "reported",
          `the backend says nothing of ${name} for ${model}; told: yes, as reported`,
        );
      }
      const figures = {
        contextWindow: 2_048,
        sizeBytes: 1_000_000,
        quantization: "Q8_0",
        license: "Apache-2.0",
      };
      for (const [name, value] of Object.entries(figures)) {
        const seen = told[name as keyof typeof figures];
        assert.ok(
          seen === undefined || seen === value,
          `the backend's ${name} is ${value}; told: ${brief(seen)}`,
        );
      }
    },
  },
  {
    id: "L23",
    group: "L",
    promise: "What was deleted is gone from the list, and deleting what is not there is model-not-found.",
    why: "Disk space is why anybody deletes.",
    fix: "Wait for the backend's answer, and map its 404.",
    needs: needs(["list", "delete"]),
    async run(bench) {
      const { provider, model } = await bench.start();
      const remove = (): Promise<void> => provider.deleteModel?.(model) ?? fail("no deleteModel");
      const list = async (): Promise<readonly string[]> => {
        const models = await ok("listModels", provider.listModels?.() ?? fail("no listModels"));
        return models.map(({ id }) => id).toSorted();
      };
      const before = await list();
      await ok("deleteModel", remove());
      const ids = await list();
      assert.ok(!ids.includes(model), `${model} was deleted; listed: ${brief(ids)}`);
      assert.equal(
        before.length - ids.length,
        1,
        `only ${model} was deleted; before there were ${brief(before)}, now ${brief(ids)}`,
      );
      await refused("deleteModel of what is gone", remove(), "model-not-found");
    },
  },
  {
    id: "L24",
    group: "L",
    promise: "A model is loaded where it was asked to be: a chat after it loads nothing again.",
    why: "A second load costs what the first was meant to save.",
    fix: "Send with the chat what the load was asked with, above all the window.",
    needs: needs(["chat", "load"], "loading", "sockets"),
    async run(bench) {
      const stand = await bench.start({ loads: [{}, { refusal: { status: 500, message: "loaded twice" } }] });
      await load(stand, { contextWindow: 512 });
      await answer(stand);
      const { seen } = stand.backend;
      const there = seen.loaded.find(({ id }) => id === stand.model);
      assert.equal(there?.window, 512, `loaded with a window of 512; after a chat it is ${there?.window}`);
    },
  },
];

const STOPS: ReadonlySet<string> = new Set(["unload", "delete", "other"]);

const byNumber = (one: Check, other: Check): number => (one.id < other.id ? -1 : 1);

export const LIFECYCLE_CHECKS: readonly Check[] = [...ownChecks, ...PULL_CHECKS].toSorted(byNumber);

function healthOf({ provider }: Stand, ms = 2_500) {
  const asked = provider.health?.() ?? fail("no health");
  const work = asked.catch((error: unknown) => fail(`health rejected with ${String(error)}`));
  return ms === Number.POSITIVE_INFINITY ? work : within(ms, work, "health");
}

function load({ provider, model }: Stand, wish: object = {}, bare = false): Promise<LoadedModel> {
  const work = provider.loadModel?.({ model, ...wish }) ?? fail("no loadModel");
  return bare ? work : ok("loadModel", work);
}

/** A chat that is read until it fails; `began` settles with its first words. */
function readUntilFault(stand: Stand): { began: Promise<void>; fault: Promise<unknown> } {
  let begin: () => void = () => undefined;
  const began = new Promise<void>((resolve) => (begin = resolve));
  const read = async (): Promise<unknown> => {
    let last: ChatEvent | undefined;
    try {
      for await (const event of streamOf(stand)) {
        last = event;
        if (event.type === "text-delta") begin();
      }
    } catch (error) {
      return error;
    }
    return `no error after ${last?.type}`;
  };
  return { began, fault: read() };
}
