import type { PullProgress } from "@enginehouse/llm-core";

import { numberIn, type PullLine, textIn } from "../wire.ts";

export interface Told {
  readonly status: PullProgress["status"];
  readonly progress: PullProgress;
  /** More has arrived, or something else is done now. */
  readonly moved: boolean;
}

/** Before its end no download is whole, whatever its figures say. */
const ALMOST = 0.999;

/**
 * One course over all layers. They come one after the other, and the size of a later one is unknown until it begins: the
 * fraction is held where it would fall. A layer's last line may stay below its total, and a small one may have none.
 */
export function createProgress(): { add(line: PullLine): Told } {
  const layers = new Map<string, { total: number; completed: number }>();
  let current: string | undefined;
  let furthest: number | undefined;
  let lastStatus = "";

  const sums = (): { receivedBytes: number; totalBytes: number } | undefined => {
    if (layers.size === 0) return undefined;
    let [receivedBytes, totalBytes] = [0, 0];
    for (const { total, completed } of layers.values()) {
      receivedBytes += completed;
      totalBytes += total;
    }
    return { receivedBytes, totalBytes };
  };

  const close = (digest: string | undefined): void => {
    const layer = digest === undefined ? undefined : layers.get(digest);
    if (layer !== undefined) layer.completed = layer.total;
  };

  return {
    add(line) {
      const digest = textIn(line, "digest");
      const said = textIn(line, "status") ?? "";
      const total = numberIn(line, "total");
      let moved = said !== lastStatus;
      lastStatus = said;
      if (said === "success") {
        const { totalBytes } = sums() ?? {};
        return {
          status: "done",
          moved,
          progress: { status: "done", fraction: 1, receivedBytes: totalBytes, totalBytes },
        };
      }
      if (digest !== undefined && total !== undefined) {
        if (digest !== current) close(current);
        current = digest;
        const before = layers.get(digest)?.completed;
        const completed = Math.min(total, Math.max(before ?? 0, numberIn(line, "completed") ?? 0));
        moved ||= completed > (before ?? -1);
        layers.set(digest, { total, completed });
      } else if (said.startsWith("verifying") || said.startsWith("writing")) {
        close(current);
      }
      const status = statusOf(said, layers.size > 0);
      const known = sums();
      if (known !== undefined && known.totalBytes > 0)
        furthest = Math.max(furthest ?? 0, Math.min(ALMOST, known.receivedBytes / known.totalBytes));
      return { status, moved, progress: { status, fraction: furthest, ...known } };
    },
  };
}

function statusOf(said: string, begun: boolean): "resolving" | "downloading" | "verifying" {
  if (/^(?:verifying|writing|removing)/.test(said)) return "verifying";
  return begun ? "downloading" : "resolving";
}
