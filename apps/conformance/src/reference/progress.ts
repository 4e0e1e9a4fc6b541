import type { PullProgress } from "@enginehouse/llm-core";

import type { PlainLine } from "./wire.ts";

/** Lines of a download as one fraction that never falls. */
export interface Progress {
  add(line: PlainLine): PullProgress;
  /** Bytes of all layers. */
  readonly received: number;
}

/** What later layers weigh is not known: each takes half of what is left. */
export function createProgress(): Progress {
  const layers = new Map<number, number>();
  let fraction = 0;
  return {
    add({ layer = 0, received = 0, total = 0 }) {
      layers.set(layer, received);
      const base = 1 - 0.5 ** (layers.size - 1);
      const share = total > 0 ? Math.min(1, received / total) : 0;
      fraction = Math.max(fraction, base + ((1 - base) / 2) * share);
      return { status: "downloading", fraction, receivedBytes: sum(layers) };
    },
    get received() {
      return sum(layers);
    },
  };
}

const sum = (layers: ReadonlyMap<number, number>): number =>
  [...layers.values()].reduce((bytes, received) => bytes + received, 0);
