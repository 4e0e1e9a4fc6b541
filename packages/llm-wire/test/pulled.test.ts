import { expect, test } from "vitest";

import { Turns } from "../src/pulled.ts";

test("a source that throws where it should answer breaks that read, and no other", async () => {
  let reads = 0;
  const turns = new Turns<string>({
    pull(reader) {
      if ((reads += 1) === 2) throw new Error("a bug");
      reader.onRead({ value: `read ${reads}`, done: false });
    },
  });
  const asked = [turns.next(), turns.next(), turns.next()];
  expect(await Promise.allSettled(asked)).toMatchObject([
    { value: { value: "read 1" } },
    { reason: { message: "a bug" } },
    { value: { value: "read 3" } },
  ]);
});
