import process from "node:process";

/** The environment variables that are read meanwhile. */
export interface WatchedEnvironment {
  /** Names that somebody asked for, without those of Node and of the shell. */
  read(): readonly string[];
  stop(): void;
}

/** What Node, its tools and the shell read, whatever a plugin does. */
export const COMMON_VARIABLES =
  /^(?:NODE_.*|WATCH_.*|npm_.*|VITEST.*|TEST|CI|DEBUG|NO_COLOR|FORCE_COLOR|TERM|COLORTERM|PATH|HOME|USERPROFILE|TMPDIR|TEMP|TMP|TZ|LANG|LC_.*|PROD|DEV|MODE|SSR|BASE_URL|SystemRoot|windir)$/i;

export function watchEnvironment(): WatchedEnvironment {
  const real = process.env;
  const names = new Set<string>();
  let copying = false;
  const note = (name: PropertyKey): void => {
    if (typeof name === "string" && !copying) names.add(name);
  };
  process.env = new Proxy(real, {
    get(target, name) {
      note(name);
      return Reflect.get(target, name) as unknown;
    },
    has(target, name) {
      note(name);
      return Reflect.has(target, name);
    },
    // Whoever copies all of it, for a child process, reads none of it.
    ownKeys(target) {
      copying = true;
      queueMicrotask(() => (copying = false));
      return Reflect.ownKeys(target);
    },
  });
  return {
    read: () => [...names].filter((name) => !COMMON_VARIABLES.test(name)),
    stop() {
      process.env = real;
    },
  };
}
