import { once } from "node:events";
import { request } from "node:http";
import type { IncomingMessage } from "node:http";

import type { Backend } from "../../src/backend.ts";
import type { Fixture } from "../../src/fakes/index.ts";

export interface Reply {
  readonly status: number;
  /** Without its parameters. */
  readonly mediaType: string | undefined;
  readonly text: string;
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Sends the recorded request to a fake. */
export const ask = async (backend: Backend, recorded: Fixture["request"], key?: string): Promise<Reply> => {
  const body = recorded.raw ?? (recorded.body === undefined ? "" : JSON.stringify(recorded.body));
  const call = request(`${backend.address}${recorded.path}`, {
    method: recorded.method ?? "GET",
    headers: {
      ...(body === ""
        ? {}
        : { "content-type": "application/json", "content-length": Buffer.byteLength(body) }),
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
      ...recorded.headers,
    },
  });
  call.end(body);
  const [response] = (await once(call, "response")) as [IncomingMessage];
  const chunks: Buffer[] = [];
  for await (const chunk of response) if (Buffer.isBuffer(chunk)) chunks.push(chunk);
  return {
    status: response.statusCode ?? 0,
    mediaType: mediaType(response.headers["content-type"]),
    text: Buffer.concat(chunks).toString(),
  };
};

export const replyOf = (fixture: Fixture, text: string): Reply => ({
  status: fixture.response.status,
  mediaType: mediaType(fixture.response.headers["content-type"]),
  text,
});

export const jsonLines = (text: string): Json[] =>
  text
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => JSON.parse(line) as Json);

/** Fields and types, without the values: what a reader of the protocol relies on. Of a list, what its items have in common is told once. */
export const shapeOf = (value: Json | undefined): Json => {
  if (value === null || value === undefined) return String(value);
  if (Array.isArray(value)) {
    const shapes = new Map(value.map((item) => [JSON.stringify(shapeOf(item)), shapeOf(item)]));
    return [...shapes.values()];
  }
  if (typeof value === "object") {
    const entries = Object.entries(value).map(([name, item]): [string, Json] => [name, shapeOf(item)]);
    return Object.fromEntries(entries.toSorted(([one], [other]) => (one < other ? -1 : 1)));
  }
  return typeof value;
};

const mediaType = (header: string | undefined): string | undefined => header?.split(";")[0];
