import process from "node:process";

/** What this process prints meanwhile. It is printed all the same. */
export interface WatchedOutput {
  text(): string;
  stop(): void;
}

type Write = typeof process.stdout.write;

const LEVELS = ["log", "info", "warn", "error", "debug", "trace"] as const;

export function watchOutput(): WatchedOutput {
  const parts: string[] = [];
  const streams = [process.stdout, process.stderr] as const;
  const writes = streams.map((stream) => stream.write);
  // The console may go another way than the streams: a test runner has its own.
  const { console } = globalThis;
  const prints = LEVELS.map((level) => console[level]);
  for (const stream of streams) {
    const write = stream.write.bind(stream) as (...given: unknown[]) => boolean;
    stream.write = ((...given: unknown[]) => {
      parts.push(String(given[0]));
      return write(...given);
    }) as Write;
  }
  LEVELS.forEach((level, index) => {
    console[level] = (...given: unknown[]): void => {
      parts.push(given.map(String).join(" "));
      prints[index]?.apply(console, given);
    };
  });
  return {
    text: () => parts.join("\n"),
    stop() {
      streams.forEach((stream, index) => (stream.write = writes[index] ?? stream.write));
      LEVELS.forEach((level, index) => (console[level] = prints[index] ?? console[level]));
    },
  };
}
