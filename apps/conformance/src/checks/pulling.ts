import assert from "node:assert/strict";

import type { CallOptions, PullProgress } from "@enginehouse/llm-core";

import type { Bench, Check, Needs, Stand } from "../check.ts";
import type { PullScript } from "../scenario.ts";
import { brief, chatFault, fail, ok, refused, requestsFor, withChat } from "./reading.ts";

const needs = (...wire: NonNullable<Needs["wire"]>): Needs => ({
  operations: ["pull"],
  wire: ["pulling", ...wire],
});

/** The part of the lifecycle's checks that is about downloads. */
export const PULL_CHECKS: readonly Check[] = [
  {
    id: "L05",
    group: "L",
    promise: "A chat never fetches a model: one that is not there is an error.",
    why: "A question that takes an hour and fills the disk is not what the user asked.",
    fix: "Map the backend's 404 to `model-not-found`, or `model-not-installed` where it is known, with the pull as the hint.",
    needs: { operations: ["chat"], wire: ["pulling", "sockets"] },
    async run(bench) {
      const stand = await away(bench, {});
      await chatFault(stand, {}, ["model-not-found", "model-not-installed"]);
      const pulls = requestsFor(stand.backend, "pull").length;
      assert.equal(pulls, 0, `the chat's model was not there, and ${pulls} pull request(s) came`);
    },
  },
  {
    id: "L06",
    group: "L",
    promise: "A pull tells one fraction from 0 to 1 that never falls, over all layers, and ends with done.",
    why: "A bar that starts again with every layer tells nobody how long it takes.",
    fix: "Sum the layers' bytes; where a later layer's size makes the share smaller, keep the figure of before.",
    needs: needs(),
    async run(bench) {
      const stand = await away(bench, { layers: [1_000, 6_000, 300] });
      const told = await pulled(stand);
      const fractions = told.flatMap(({ fraction }) => (fraction === undefined ? [] : [fraction]));
      bench.saw(`${told.length} pieces, fractions ${fractions.map((one) => one.toFixed(2)).join(" ")}`);
      for (const [index, fraction] of fractions.entries()) {
        assert.ok(fraction >= 0 && fraction <= 1, `fraction ${index} is ${fraction}`);
        const before = fractions[index - 1] ?? 0;
        assert.ok(
          fraction >= before,
          `the fraction fell from ${before} to ${fraction}; all: ${brief(fractions)}`,
        );
      }
      assert.equal(told.at(-1)?.status, "done", `the last piece is ${brief(told.at(-1))}`);
      assert.equal(fractions.at(-1), 1, `at the end the fraction is ${fractions.at(-1)}`);
      const moving = told.some(
        ({ status, fraction = 0, receivedBytes = 0 }) =>
          status === "downloading" && ((fraction > 0 && fraction < 1) || receivedBytes > 0),
      );
      assert.ok(moving, `between begin and end nothing was told: ${brief(told)}`);
    },
  },
  {
    id: "L07",
    group: "L",
    promise: "A pull that fails says so, also after status 200 and when the connection breaks.",
    why: "A download that ends without an error counts as installed.",
    fix: "Read the error inside the stream; take an end without the backend's word for success for a fault.",
    needs: needs(),
    async run(bench) {
      for (const trouble of [{ error: "the registry is on fire" }, "reset"] as const) {
        const stand = await away(bench, { layers: [2_000], at: 0.5, trouble });
        const says = typeof trouble === "string" ? trouble : `the error ${brief(trouble.error)}`;
        const fault = await refused(`a pull that met ${says} half way`, pulling(stand), [
          "provider-internal",
          "unavailable",
          "stream-interrupted",
        ]);
        if (typeof trouble === "string") continue;
        assert.ok(
          fault.message.includes("on fire"),
          `the backend said ${brief(trouble.error)}; the error: ${fault.message}`,
        );
      }
    },
  },
  {
    id: "L08",
    group: "L",
    promise: "Leaving a pull stops the download at the backend, and the next pull goes on from there.",
    why: "Forty gigabytes are not fetched twice because somebody closed a laptop.",
    fix: "Close the request when the loop is left; where the backend keeps parts, ask again in the same words.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await away(bench, { layers: [20_000], stepBytes: 500, stepMs: 2 });
      const first = stand.provider.pullModel?.({ model: stand.model }) ?? fail("no pullModel");
      let reached = 0;
      const half = async (): Promise<void> => {
        for await (const progress of first) {
          reached = shareOf(progress) ?? reached;
          if (reached >= 0.3) return;
        }
        fail("the pull came to its end before it could be left");
      };
      await ok("the first pull", half());
      await stand.backend.seen.until(
        ({ requests }) =>
          requests.some(({ operation, leftAt }) => operation === "pull" && leftAt !== undefined),
        "the pull's connection to be closed by the client",
        1_000,
      );
      const told = await pulled(stand);
      const began = told.map(shareOf).find((share) => share !== undefined) ?? 1;
      bench.saw(`left at ${reached.toFixed(2)}, went on at ${began.toFixed(2)}`);
      assert.ok(
        began >= reached / 2,
        `left at ${reached.toFixed(2)}; the next pull began at ${began.toFixed(2)}`,
      );
    },
  },
  {
    id: "L09",
    group: "L",
    promise: "Pulls of one model at the same time share the work, and each comes to its end.",
    why: "Two windows of one application must not fetch everything twice, nor spoil each other's file.",
    fix: "Keep running pulls by model, and let later callers listen to the first one's progress.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await away(bench, { layers: [4_000], stepBytes: 500, stepMs: 2 });
      const ends = await Promise.all([pulled(stand), pulled(stand), pulled(stand)]);
      for (const told of ends)
        assert.equal(told.at(-1)?.status, "done", `a pull ended with ${brief(told.at(-1))}`);
      const count = requestsFor(stand.backend, "pull").length;
      assert.equal(count, 1, `three pulls at once led to ${count} requests`);
    },
  },
  {
    id: "L19",
    group: "L",
    promise: "A full disk is disk-full.",
    why: "Trying again does not help; making room does.",
    fix: "Look for the system's words in the backend's error: `no space left on device`.",
    needs: needs(),
    async run(bench) {
      const error = "write /models/blobs/partial: no space left on device";
      const stand = await away(bench, { layers: [2_000], at: 0.5, trouble: { error } });
      await refused(`a pull that met ${brief(error)}`, pulling(stand), "disk-full");
    },
  },
  {
    id: "L20",
    group: "L",
    promise: "A pull of what nobody offers is model-not-found.",
    why: "A typing mistake is the usual cause, and trying again the usual answer to any other error.",
    fix: "Map the backend's words for it; many say it after status 200.",
    needs: needs(),
    async run(bench) {
      const stand = await bench.start();
      const fault = await refused(
        "a pull of kit-nowhere",
        pulling({ ...stand, model: "kit-nowhere" }),
        "model-not-found",
      );
      assert.ok(fault.message.includes("kit-nowhere"), `the error does not name the model: ${fault.message}`);
    },
  },
  {
    id: "L21",
    group: "L",
    promise: "A pull that repeats the same figure has stalled, and is a timeout after the idle time.",
    why: "A blob that keeps failing repeats its line for ever, without an error: the bar stands, and nobody learns why.",
    fix: "Let only a figure that has grown count as a sign of life.",
    needs: needs(),
    async run(bench) {
      const stand = await away(bench, { layers: [2_000], at: 0.5, trouble: "repeat" });
      const work = pulling(stand, { timeouts: { idle: 80 } });
      const fault = await refused(
        "a pull whose backend repeats one figure, idle time 80 ms",
        work,
        "timeout",
        1_500,
      );
      bench.saw(fault.message);
    },
  },
  {
    id: "L22",
    group: "L",
    promise: "Who leaves a pull that others share does not stop it for them.",
    why: "One closed window must not break the download of the other.",
    fix: "Close the backend's request only when the last listener has gone.",
    needs: needs("sockets"),
    async run(bench) {
      const stand = await away(bench, { layers: [8_000], stepBytes: 500, stepMs: 2 });
      const leaving = stand.provider.pullModel?.({ model: stand.model }) ?? fail("no pullModel");
      const leave = async (): Promise<void> => {
        for await (const progress of leaving) if ((shareOf(progress) ?? 0) > 0) return;
      };
      const [, told] = await Promise.all([ok("the pull that is left", leave()), pulled(stand)]);
      assert.equal(told.at(-1)?.status, "done", `the one that stayed ended with ${brief(told.at(-1))}`);
    },
  },
];

/** A backend that does not have the chat model yet. */
const away = (bench: Bench, script: PullScript): Promise<Stand> =>
  bench.start({ models: withChat({ installed: false }), pulls: [script] });

async function pulling({ provider, model }: Stand, options?: CallOptions): Promise<readonly PullProgress[]> {
  const told: PullProgress[] = [];
  for await (const progress of provider.pullModel?.({ model }, options) ?? fail("no pullModel"))
    told.push(progress);
  return told;
}

const pulled = (stand: Stand): Promise<readonly PullProgress[]> => ok("the pull", pulling(stand));

function shareOf({ fraction, receivedBytes, totalBytes }: PullProgress): number | undefined {
  if (fraction !== undefined) return fraction;
  return receivedBytes === undefined || totalBytes === undefined ? undefined : receivedBytes / totalBytes;
}
