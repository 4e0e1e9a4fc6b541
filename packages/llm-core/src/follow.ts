interface Followers {
  readonly stops: Set<() => void>;
  readonly ring: () => void;
}

const followed = new WeakMap<AbortSignal, Followers>();

/**
 * Calls `stop` once when the signal fires, until the function that it returns is called. All calls that follow one
 * signal share one listener: a hundred at once are no leak, and Node warns of one from the eleventh listener on.
 */
export function follow(signal: AbortSignal, stop: () => void): () => void {
  let followers = followed.get(signal);
  if (followers === undefined) {
    const stops = new Set<() => void>();
    const ring = (): void => {
      followed.delete(signal);
      for (const one of stops) one();
    };
    followers = { stops, ring };
    followed.set(signal, followers);
    signal.addEventListener("abort", ring, { once: true });
  }
  const { stops, ring } = followers;
  // A function of its own, so that one `stop` given twice is two.
  const mine = (): void => stop();
  stops.add(mine);
  return () => {
    stops.delete(mine);
    if (stops.size > 0 || followed.get(signal)?.ring !== ring) return;
    followed.delete(signal);
    signal.removeEventListener("abort", ring);
  };
}
