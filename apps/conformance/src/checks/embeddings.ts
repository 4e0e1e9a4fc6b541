import assert from "node:assert/strict";

import {
  type EmbedRequest,
  type EmbedResponse,
  type ErrorCode,
  isLlmError,
  type LlmError,
} from "@enginehouse/llm-core";

import type { Check, Needs, Stand } from "../check.ts";
import { brief, fail, lastAsked, ok, refused, requestsFor, watched } from "./reading.ts";
import { SOON, within } from "./within.ts";

const TEXTS = [
  "Bread is baked at night.",
  "The ferry leaves at noon.",
  "A short one.",
  "Snow fell on the pass, and the road was closed for three days.",
  "Nobody knows.",
];

const needs = (...wire: NonNullable<Needs["wire"]>): Needs => ({ operations: ["embed"], wire });

export const EMBEDDING_CHECKS: readonly Check[] = [
  {
    id: "E01",
    group: "E",
    promise: "Vectors come in the order of their texts, however many there are.",
    why: "In another order every document is found under another one's words.",
    fix: "Put answers of parallel batches back by the place of their texts, not by the time they arrive; sort by `index` where the backend has one.",
    needs: needs(),
    async run(bench) {
      // The first request is the slowest, so that batches sent at once come back in another order.
      const stand = await bench.start({ embeds: [{ headersAfter: 25 }, {}] });
      const texts = [...TEXTS, ...Array.from({ length: 95 }, (_, index) => `Text number ${index}.`)];
      const { vectors } = await embed(stand, { texts });
      assert.equal(vectors.length, texts.length, `${texts.length} texts gave ${vectors.length} vectors`);
      for (const index of [0, 3, 50, 99]) {
        const text = texts[index] ?? "";
        const alone = await embed(stand, { texts: [text] });
        const place = vectors.findIndex((vector) => alike(vector, alone.vectors[0]));
        assert.ok(alike(vectors[index], alone.vectors[0]), `the vector of text ${index} stands at ${place}`);
      }
    },
  },
  {
    id: "E02",
    group: "E",
    promise: "There is one vector for each text.",
    why: "One too few, and all after it belong to the wrong texts.",
    fix: "Return what the backend returned for every text; do not leave out doubles or short texts.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      const texts = ["One.", "Two.", "One.", "a", "Three."];
      const { vectors } = await embed(stand, { texts });
      assert.equal(vectors.length, texts.length, `${texts.length} texts gave ${vectors.length} vectors`);
    },
  },
  {
    id: "E03",
    group: "E",
    promise: "Vectors have one length, hold finite numbers only, and are of length 1.",
    why: "One NaN makes every comparison false, and an index that took it in is spoiled.",
    fix: "Normalise; throw `invalid-response` where the backend's numbers are no numbers.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      const { vectors } = await embed(stand, { texts: TEXTS });
      const lengths = new Set(vectors.map(({ length }) => length));
      assert.equal(lengths.size, 1, `vectors of ${[...lengths].join(" and ")} numbers`);
      for (const [index, vector] of vectors.entries()) {
        assert.ok(vector.every(Number.isFinite), `vector ${index} holds ${brief([...vector].map(String))}`);
        const norm = Math.hypot(...vector);
        assert.ok(Math.abs(norm - 1) < 1e-3, `vector ${index} has the length ${norm}, not 1`);
      }
    },
  },
  {
    id: "E04",
    group: "E",
    promise: "More texts than the backend takes at once are divided, or refused with the limit named.",
    why: "Whoever indexes a folder does not know the limits of servers.",
    fix: "Divide at the limit that the backend is known for; else map its refusal to `invalid-request` and keep its figure in the message.",
    needs: needs("embed-batch-limit"),
    async run(bench) {
      const stand = await bench.start({ embeds: [{ batchLimit: 3 }] });
      const end = await embedOutcome(stand, { texts: TEXTS });
      if (isLlmError(end)) {
        assert.equal(
          end.code,
          "invalid-request",
          `5 texts, at most 3 at once: seen ${end.code}: ${end.message}`,
        );
        const says = `${end.message} ${end.hint ?? ""} ${brief(end.figures ?? {})}`;
        assert.ok(
          says.includes("3"),
          `the backend takes 3 texts at once; the error does not say so: ${says}`,
        );
        return bench.saw(end.message);
      }
      assert.equal(
        end.vectors.length,
        TEXTS.length,
        `${TEXTS.length} texts gave ${end.vectors.length} vectors`,
      );
      return bench.saw(`divided over ${requestsFor(stand.backend, "embed").length} requests`);
    },
  },
  {
    id: "E05",
    group: "E",
    promise: "No texts give no vectors, without a request.",
    why: "Backends answer an empty list with an error, and a loop over nothing should cost nothing.",
    fix: "Leave it to the core, or return before the request.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      const { vectors } = await embed(stand, { texts: [] });
      assert.equal(vectors.length, 0, `no texts gave ${vectors.length} vectors`);
      const sent = requestsFor(stand.backend, "embed").length;
      assert.equal(sent, 0, `no texts led to ${sent} request(s)`);
    },
  },
  {
    id: "E06",
    group: "E",
    promise: "An empty text gives a vector or an error, alone and in a list, and never a shorter list.",
    why: "Real servers answer an empty text with no vector at all: all others move up by one.",
    fix: "Compare the counts; where the backend gives nothing, throw `invalid-request` that names the text.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      for (const texts of [[""], ["One.", "", "Three."]]) {
        const end = await embedOutcome(stand, { texts });
        if (isLlmError(end)) bench.saw(`${brief(texts)}: ${end.code}`);
        else
          assert.equal(
            end.vectors.length,
            texts.length,
            `${brief(texts)} gave ${end.vectors.length} vectors`,
          );
      }
    },
  },
  {
    id: "E07",
    group: "E",
    promise: "Usage is what the backend counted, over all requests, and undefined where it tells nothing.",
    why: "Zero is a price; unknown is not.",
    fix: "Sum the counts of all batches; leave `inputTokens` undefined where one of them is missing.",
    needs: needs("embed-usage"),
    async run(bench) {
      const told = await bench.start();
      const { usage } = await embed(told, { texts: TEXTS });
      const count = TEXTS.join(" ").split(" ").length;
      assert.equal(
        usage.inputTokens,
        count,
        `the backend counted ${count} tokens; seen ${usage.inputTokens}`,
      );
      const silent = await bench.start({ embeds: [{ usage: "absent" }] });
      const { usage: none } = await embed(silent, { texts: TEXTS });
      assert.equal(none.inputTokens, undefined, `the backend told no count; seen ${none.inputTokens}`);
    },
  },
  {
    id: "E08",
    group: "E",
    promise: "The same text has the same vector, wherever it stands and whenever it is asked for.",
    why: "An index is built today and asked tomorrow.",
    fix: "Send a text as it is, whatever comes with it.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      const [text = ""] = TEXTS;
      const first = await embed(stand, { texts: [text, ...TEXTS.slice(1), text] });
      const second = await embed(stand, { texts: [text] });
      assert.ok(alike(first.vectors[0], first.vectors.at(-1)), "twice in one list, the text has two vectors");
      assert.ok(alike(first.vectors[0], second.vectors[0]), "asked for again, the text has another vector");
    },
  },
  {
    id: "E09",
    group: "E",
    promise: "A purpose adds the model's own prefix or nothing; the text itself reaches the backend whole.",
    why: "A prefix that the model was not trained with spoils every vector, and so does a text without its own.",
    fix: "Keep prefixes by model; without a purpose, or for a model without prefixes, send the text as it is.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await bench.start();
      const text = "  When does the ferry leave?\n";
      for (const purpose of [undefined, "query", "document"] as const) {
        await embed(stand, { texts: [text], purpose });
        const [sent = ""] = lastAsked(stand.backend, "embed").texts ?? [];
        const fits = purpose === undefined ? sent === text : sent.endsWith(text);
        assert.ok(
          fits,
          `purpose ${purpose ?? "left out"}: ${brief(text)} reached the backend as ${brief(sent)}`,
        );
      }
    },
  },
  {
    id: "E10",
    group: "E",
    promise:
      "Where one text fails, all of the call fails: a vector that is missing, of another length or no number is invalid-response.",
    why: "Half a result looks like a whole one.",
    fix: "Check count, lengths and numbers before you return; the core does so, too.",
    needs: needs("embed-vectors"),
    async run(bench) {
      for (const spoiled of ["missing", "ragged", "nan"] as const) {
        const { provider, backend } = await bench.start({ embeds: [{ spoiled }] });
        const work = provider.embed?.({ model: backend.models.embedding, texts: TEXTS }) ?? fail("no embed");
        const shown = work.then(({ vectors }) => vectors.map(({ length }) => length));
        await refused(`embed where the backend's last vector is ${spoiled}`, shown, "invalid-response");
      }
    },
  },
  {
    id: "E11",
    group: "E",
    promise:
      "A fault of the backend while it embeds has its code, no vectors come, and nothing is asked twice.",
    why: "An index that waits and tries again needs to know whether it should.",
    fix: "Map the status of the embedding's reply as that of a chat.",
    needs: needs("http-status"),
    async run(bench) {
      for (const [status, codes] of FAULTS) {
        const { provider, backend } = await bench.start({ embeds: [{ refusal: { status } }] });
        const work =
          provider.embed?.({ model: backend.models.embedding, texts: ["One."] }) ?? fail("no embed");
        const fault = await refused(`embed answered with ${status}`, work, codes);
        assert.equal(
          fault.retryable,
          true,
          `status ${status} may be gone in a moment; seen retryable: ${fault.retryable}`,
        );
        const sent = requestsFor(backend, "embed").length;
        assert.ok(sent <= 1, `one call was answered with status ${status}, and ${sent} requests arrived`);
      }
      const refusal = { status: 404, because: "model-missing" } as const;
      const { provider, backend } = await bench.start({ embeds: [{ refusal }] });
      const work = provider.embed?.({ model: backend.models.embedding, texts: ["One."] }) ?? fail("no embed");
      await refused("embed with a model that the backend does not have", work, "model-not-found");
    },
  },
  {
    id: "E12",
    group: "E",
    promise: "rerank gives one finite score for each document, in the order given.",
    why: "A backend returns them best first: taken as they come, the best document gets the first one's place.",
    fix: "Put scores back by the backend's `index`.",
    needs: { operations: ["rerank"] },
    async run(bench) {
      const { provider, backend } = await bench.start();
      const model = backend.models.rerank;
      const query = "when does the ferry leave";
      const documents = ["Bread is baked.", "the ferry does leave when it is noon", "The ferry is red."];
      const rank = async (given: readonly string[]): Promise<readonly number[]> => {
        const work = provider.rerank?.({ model, query, documents: given }) ?? fail("no rerank");
        const { scores } = await ok("rerank", work);
        assert.equal(scores.length, given.length, `${given.length} documents gave ${scores.length} scores`);
        assert.ok(scores.every(Number.isFinite), `scores must be numbers; seen ${brief(scores.map(String))}`);
        return scores;
      };
      const [bread = 0, leave = 0, red = 0] = await rank(documents);
      const turned = await rank(documents.toReversed());
      const seen = `${brief([bread, leave, red])} for the documents, ${brief(turned)} for them in reverse`;
      if (watched(bench))
        assert.ok(leave > bread, `the document that answers must score higher; seen ${seen}`);
      const moved = turned.every(
        (score, index) => Math.abs(score - ([red, leave, bread][index] ?? 0)) < 1e-3,
      );
      assert.ok(moved, `scores do not follow their documents; seen ${seen}`);
      assert.deepEqual(await rank([]), [], "no documents");
    },
  },
  {
    id: "E13",
    group: "E",
    promise: "Vectors are of length 1, also where the backend's are not.",
    why: "Compared by their product, as indexes do it, long vectors win over fitting ones.",
    fix: "Divide by the length, or know that the backend has done so.",
    needs: needs("embed-vectors"),
    async run(bench) {
      const stand = await bench.start({ embeds: [{ norm: 12 }] });
      const { vectors } = await embed(stand, { texts: TEXTS });
      const norms = vectors.map((vector) => Math.hypot(...vector));
      const good = norms.every((norm) => Math.abs(norm - 1) < 1e-3);
      assert.ok(
        good,
        `the backend's vectors are 12 long; seen ${brief(norms.map((norm) => norm.toFixed(3)))}`,
      );
    },
  },
];

const FAULTS: readonly (readonly [number, readonly ErrorCode[]])[] = [
  [429, ["rate-limited"]],
  [503, ["unavailable"]],
];

type Wish = Omit<EmbedRequest, "model">;

function embed({ provider, backend }: Stand, wish: Wish): Promise<EmbedResponse> {
  const work =
    provider.embed?.({ model: backend.models.embedding, ...wish }) ?? fail("the provider has no embed");
  return ok(`embed of ${wish.texts.length} text(s)`, work);
}

async function embedOutcome({ provider, backend }: Stand, wish: Wish): Promise<EmbedResponse | LlmError> {
  const work =
    provider.embed?.({ model: backend.models.embedding, ...wish }) ?? fail("the provider has no embed");
  try {
    return await within(SOON, work, "embed");
  } catch (error) {
    if (isLlmError(error)) return error;
    throw error;
  }
}

const alike = (one: Float32Array | undefined, other: Float32Array | undefined): boolean =>
  one !== undefined &&
  one.length === other?.length &&
  one.every((value, index) => Math.abs(value - (other[index] ?? Number.NaN)) < 1e-4);
