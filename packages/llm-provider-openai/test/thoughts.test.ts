import { type FetchLike, readsOf } from "@enginehouse/llm-wire";
import { expect, test } from "vitest";

import { withoutThoughts } from "../src/refusals/thoughts.ts";

const nothing = (): void => undefined;

test("a transport that makes the address its own is asked for the same one once more", async () => {
  const refusal = JSON.stringify({
    error: { message: "Encrypted content is not supported with this model." },
  });
  const asked: string[] = [];
  const exchange: NonNullable<FetchLike["exchange"]> = async (url, { body }) => {
    asked.push(`${url.pathname} ${String(body).includes("include")}`);
    url.pathname = "/key-abcd";
    const status = asked.length === 1 ? 400 : 200;
    return {
      status,
      headers: new Headers(),
      reads: () => readsOf(new Response(status === 400 ? refusal : "")),
    };
  };
  const fetch = withoutThoughts(
    Object.assign(async () => new Response(), { exchange }),
    new Set(),
  );
  const body = JSON.stringify({ model: "m", include: ["reasoning.encrypted_content"], input: [] });
  const asker = { connected: nothing, stopsWith: nothing, isDoneWith: nothing };
  const reply = await fetch.exchange?.(
    new URL("http://a/v1/responses"),
    { method: "POST", headers: {}, body },
    asker,
  );
  expect(reply?.status).toBe(200);
  expect(asked).toEqual(["/v1/responses true", "/v1/responses false"]);
});
