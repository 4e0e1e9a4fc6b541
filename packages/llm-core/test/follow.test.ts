import { expect, test, vi } from "vitest";

import { follow } from "../src/follow.ts";
import { ask, eventsOf, finish, pluginOf, start, streamOf } from "./double.ts";

test("a hundred calls at once on one signal put one listener on it, and none stays", async () => {
  const { signal } = new AbortController();
  const add = vi.spyOn(signal, "addEventListener");
  const remove = vi.spyOn(signal, "removeEventListener");
  const provider = pluginOf(() => ({ stream: streamOf([[start, finish]]) })).create();
  const calls = Array.from({ length: 100 }, () => {
    const stream = provider.stream?.(ask, { signal });
    if (stream === undefined) throw new Error("no stream");
    return eventsOf(stream);
  });
  await Promise.all(calls);
  expect(add).toHaveBeenCalledTimes(1);
  expect(remove).toHaveBeenCalledTimes(1);
});

test("all who follow are told, once each, and those who left are not", () => {
  const controller = new AbortController();
  const told: string[] = [];
  follow(controller.signal, () => told.push("one"));
  const leave = follow(controller.signal, () => told.push("two"));
  const stay = follow(controller.signal, () => told.push("three"));
  leave();
  leave();
  controller.abort();
  stay();
  expect(told).toEqual(["one", "three"]);
});

test("one function given twice is two followers", () => {
  const controller = new AbortController();
  const stop = vi.fn();
  const leave = follow(controller.signal, stop);
  follow(controller.signal, stop);
  leave();
  controller.abort();
  expect(stop).toHaveBeenCalledTimes(1);
});
