/** How long work may go on before others have their turn. */
const TURN_MS = 10;

/**
 * For work in many steps: asked between two of them, it gives the event loop a turn when the last one is long ago.
 * Whoever was stopped meanwhile is told so by a rejection.
 */
export function createPauses(signal?: AbortSignal): () => Promise<void> | undefined {
  let since = performance.now();
  const pause = async () => {
    await new Promise((resolve) => setImmediate(resolve));
    since = performance.now();
    signal?.throwIfAborted();
  };
  return () => (performance.now() - since < TURN_MS ? undefined : pause());
}
