import type { JsonObject } from "@enginehouse/llm-core";

import { ndjson } from "../framing.ts";
import type { Exchange } from "../http-fake.ts";
import { fieldsOf, stringOf } from "../reading.ts";
import { digestOf } from "./models.ts";

const LAST: readonly JsonObject[] = [
  { status: "verifying sha256 digest" },
  { status: "writing manifest" },
  { status: "success" },
];

/** `/api/pull`: whatever goes wrong comes after status 200, unless the request asks for one piece. */
export const pull = async (exchange: Exchange, name: string): Promise<void> => {
  const { house, gone } = exchange;
  if (/\s/u.test(name)) return exchange.send(400, { error: "invalid model name" });
  const out = replyIn(exchange);
  await out.write({ status: "pulling manifest" });
  const model = house.known(name);
  if (model === undefined) return out.fail("pull model manifest: file does not exist");
  if (house.find(name) !== undefined) {
    const bytes = model.sizeBytes ?? 1_000_000;
    await out.write(layerLine(model.id, 0, bytes, bytes));
    return out.end(LAST);
  }
  let layerNow = -1;
  await house.downloads.follow(
    model.id,
    house.nextPull,
    async (piece) => {
      if (piece.type === "reset") exchange.cut("reset");
      else if (piece.type === "error") await out.fail(piece.message);
      else if (piece.type === "done") {
        house.install(model.id);
        await out.end(LAST);
      } else if (piece.layer !== layerNow || piece.received < piece.total) {
        // The last line of a layer stays below its total, as a rule.
        layerNow = piece.layer;
        await out.write(layerLine(model.id, piece.layer, piece.received, piece.total));
      }
    },
    gone,
  );
};

/** `/api/create` from files that were uploaded before, or from another model. */
export const create = async (exchange: Exchange, name: string, blobs: ReadonlySet<string>): Promise<void> => {
  const { house } = exchange;
  const body = fieldsOf(exchange.body);
  const out = replyIn(exchange);
  const origin = stringOf(body["from"]);
  const files = Object.values(fieldsOf(body["files"])).filter((digest) => typeof digest === "string");
  if (origin === undefined) await out.write({ status: "parsing GGUF" });
  const unknown = files.find((digest) => !blobs.has(digest));
  if (unknown !== undefined) {
    return out.fail(`open /models/blobs/${unknown.replace(":", "-")}: no such file or directory`);
  }
  const parent = house.find(origin);
  if (origin !== undefined && parent === undefined) return out.fail(`model '${origin}' not found`);
  house.add({ ...(parent ?? { task: "chat" as const, window: 2_048 }), id: name.replace(/:latest$/u, "") });
  await out.write({ status: "verifying conversion" });
  await out.write({ status: `using existing layer ${files[0] ?? `sha256:${digestOf(name)}`}` });
  return out.end([{ status: "writing manifest" }, { status: "success" }]);
};

const layerLine = (id: string, layer: number, completed: number, total: number): JsonObject => {
  const digest = digestOf(`${id} layer ${layer}`);
  return {
    status: `pulling ${digest.slice(0, 12)}`,
    digest: `sha256:${digest}`,
    total,
    // Nothing yet is not written.
    ...(completed === 0 ? {} : { completed }),
  };
};

/** Lines, or with `stream:false` only how it ended. */
const replyIn = (exchange: Exchange) => {
  if (exchange.asked.stream === false) {
    return {
      write: (_line: JsonObject): Promise<void> => Promise.resolve(),
      end: (lines: readonly JsonObject[]): Promise<void> => exchange.send(200, lines.at(-1) ?? {}),
      fail: (message: string): Promise<void> => exchange.send(500, { error: message }),
    };
  }
  const writer = exchange.pieces(ndjson());
  return {
    write: (line: JsonObject): Promise<void> => writer.write([{ json: line }]),
    end: (lines: readonly JsonObject[]): Promise<void> => writer.end(lines.map((json) => ({ json }))),
    fail: (message: string): Promise<void> => writer.end([{ json: { error: message } }]),
  };
};
