/** Server-sent events out of a log: the reader pulls, so a slow one costs no memory beyond the log itself. */
import type { EventLog } from "../runs/event-log.ts";

/** Comments keep proxies and clients from taking silence for death. */
export const HEARTBEAT_MS = 15_000;
/** How many events go into one piece when a reader has fallen behind. */
const PIECE = 256;

export interface SseOptions {
  /** The number of the last event that the reader already has. */
  readonly after?: number;
  readonly heartbeatMs?: number;
  /** Called once, when the reader is gone or has read to the end. */
  readonly onClose?: () => void;
  readonly headers?: Record<string, string>;
}

export function sseResponse<Event extends { readonly type: string }>(
  log: EventLog<Event>,
  { after = 0, heartbeatMs = HEARTBEAT_MS, onClose, headers = {} }: SseOptions = {},
): Response {
  const encoder = new TextEncoder();
  let cursor = Math.max(log.before, Math.min(after, log.length));
  let open = true;
  let wake: () => void = () => undefined;
  let silent = false;
  const unlisten = log.listen(() => wake());
  const heartbeat = setInterval(() => {
    silent = true;
    wake();
  }, heartbeatMs);
  heartbeat.unref();
  const close = () => {
    if (!open) return;
    open = false;
    clearInterval(heartbeat);
    unlisten();
    wake();
    onClose?.();
  };
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        while (open) {
          cursor = Math.max(cursor, log.before);
          const events = log.read(cursor, PIECE);
          if (events.length > 0) {
            const text = events.map((event, index) => frame(event, cursor + index + 1)).join("");
            cursor += events.length;
            silent = false;
            controller.enqueue(encoder.encode(text));
            return;
          }
          if (log.ended) {
            close();
            controller.close();
            return;
          }
          if (silent) {
            silent = false;
            controller.enqueue(encoder.encode(": heartbeat\n\n"));
            return;
          }
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
  return new Response(body, {
    headers: {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-store, no-transform",
      "x-accel-buffering": "no",
      ...headers,
    },
  });
}

/** `Last-Event-ID`, or `?after=` for clients that cannot set headers; 0 when there is neither. */
export function lastEventId(header: string | undefined, query: string | undefined): number {
  const value = Number(header ?? query ?? 0);
  return Number.isSafeInteger(value) && value > 0 ? value : 0;
}

function frame(event: { readonly type: string }, number: number): string {
  return `id: ${number}\nevent: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;
}
