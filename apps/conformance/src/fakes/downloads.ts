import type { PullScript } from "../scenario.ts";
import { wait } from "./waiting.ts";

/** What a download tells, piece after piece. */
export type DownloadPiece =
  | { readonly type: "progress"; readonly layer: number; readonly received: number; readonly total: number }
  | { readonly type: "error"; readonly message: string }
  | { readonly type: "reset" }
  | { readonly type: "done" };

/** Downloads by model. Several clients share one; it stops when the last has gone, and the next goes on from there. */
export interface Downloads {
  follow(
    model: string,
    script: () => PullScript,
    tell: (piece: DownloadPiece) => Promise<void> | void,
    gone: AbortSignal,
  ): Promise<void>;
  /** Downloads that run now. */
  readonly running: number;
}

interface Download {
  readonly script: PullScript;
  readonly followers: Set<Follower>;
  /** Aborted when nobody follows any more. */
  readonly stop: AbortController;
}

interface Follower {
  readonly tell: (piece: DownloadPiece) => Promise<void> | void;
  readonly gone: AbortSignal;
  readonly over: () => void;
}

const DEFAULT_LAYERS: readonly number[] = [400, 1_200];

/** Who goes while it is being told must not stop the download for the others. */
const tellOne = async (follower: Follower, piece: DownloadPiece): Promise<void> => {
  try {
    await follower.tell(piece);
  } catch (error) {
    if (!follower.gone.aborted) throw error;
  }
};

export const createDownloads = (): Downloads => {
  const running = new Map<string, Download>();
  const arrived = new Map<string, number>();

  const tellAll = async (download: Download, piece: DownloadPiece): Promise<void> => {
    for (const follower of download.followers) {
      if (follower.gone.aborted) download.followers.delete(follower);
      else await tellOne(follower, piece);
    }
  };

  const drive = async (model: string, download: Download): Promise<void> => {
    const { script } = download;
    const layers = script.layers ?? DEFAULT_LAYERS;
    const all = layers.reduce((sum, size) => sum + size, 0);
    const stopsAt = script.trouble === undefined ? Infinity : Math.floor(all * (script.at ?? 1));
    let before = 0;
    for (const [layer, total] of layers.entries()) {
      const step = script.stepBytes ?? Math.max(1, Math.ceil(total / 4));
      for (;;) {
        if (download.followers.size === 0) return;
        const bytes = Math.max(arrived.get(model) ?? 0, before);
        const received = Math.min(bytes - before, total);
        await tellAll(download, { type: "progress", layer, received, total });
        if (bytes >= stopsAt) {
          const { trouble } = script;
          if (trouble === "reset") return tellAll(download, { type: "reset" });
          if (typeof trouble === "object")
            return tellAll(download, { type: "error", message: trouble.error });
        } else if (received >= total) {
          break;
        } else {
          const next = Math.min(before + Math.min(received + step, total), Math.max(stopsAt, before));
          arrived.set(model, next);
        }
        await wait(script.stepMs ?? 1, download.stop.signal);
      }
      before += total;
    }
    return tellAll(download, { type: "done" });
  };

  return {
    async follow(model, script, tell, gone) {
      let download = running.get(model);
      const first = download === undefined;
      download ??= { script: script(), followers: new Set(), stop: new AbortController() };
      running.set(model, download);
      const following = download;
      const over = new Promise<void>((resolve) => {
        const follower: Follower = { tell, gone, over: resolve };
        following.followers.add(follower);
        gone.addEventListener(
          "abort",
          () => {
            following.followers.delete(follower);
            resolve();
            if (following.followers.size > 0) return;
            if (running.get(model) === following) running.delete(model);
            following.stop.abort();
          },
          { once: true },
        );
      });
      if (first) {
        const end = (): void => {
          if (running.get(model) === following) running.delete(model);
          for (const follower of following.followers) follower.over();
        };
        drive(model, following).then(end, end);
      }
      return over;
    },
    get running() {
      return running.size;
    },
  };
};
