import { AsyncLocalStorage, createHook } from "node:async_hooks";
import { sep } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";

/** What was opened by the code that ran inside, and is not closed yet. */
export interface Leftovers {
  run<Result>(inside: () => Result): Result;
  /** One sentence for each thing, with the place in the code that made it. */
  list(): readonly string[];
  stop(): void;
}

/**
 * Looks at handles where they are made and where they end, so that only what the code inside (and all that it set off)
 * has opened counts: the runner of the tests has timers and sockets of its own in the same process.
 */
export function watchLeftovers(): Leftovers {
  const open = new Map<number, Opened>();
  const hook = createHook({
    // Nothing here is a promise: where Node can leave them out, every check costs less.
    ...({ trackPromises: false } as object),
    init(id, type, _trigger, resource) {
      const kind = KINDS[type];
      if (kind === undefined || scope.getStore() !== open) return;
      open.set(id, { kind, resource: new WeakRef(resource), stack: stackHere() });
    },
    destroy(id) {
      open.delete(id);
    },
  }).enable();
  return {
    run: (inside) => scope.run(open, inside),
    list: () => [...open.values()].filter(counts).map(sentence),
    stop: () => void hook.disable(),
  };
}

/** Runs what is not to be counted. */
export const aside = <Result>(run: () => Result): Result => scope.exit(run);

interface Opened {
  readonly kind: string;
  readonly resource: WeakRef<object>;
  /** Nearly all that is opened is closed again: its stack becomes text only where somebody asks. */
  readonly stack: () => readonly string[];
}

const scope = new AsyncLocalStorage<Map<number, Opened>>();

const KINDS: Readonly<Record<string, string>> = {
  Timeout: "a timer",
  TCPWRAP: "a socket",
  TCPSERVERWRAP: "a server",
  UDPWRAP: "a UDP socket",
  PIPEWRAP: "a pipe",
  PROCESSWRAP: "a child process",
  WORKER: "a worker",
  FSEVENTWRAP: "a watcher of files",
  STATWATCHER: "a watcher of files",
};

/** Node's own timers that keep nothing awake, such as the one that refreshes a date header, end by themselves. */
function counts({ kind, resource, stack }: Opened): boolean {
  if (kind !== "a timer") return true;
  const timer = resource.deref() as { readonly hasRef?: () => boolean } | undefined;
  if (timer === undefined) return false;
  return timer.hasRef?.() === true || !(stack()[0] ?? "").includes("node:internal");
}

function sentence({ kind, stack }: Opened): string {
  const place = stack().find(isInCode);
  return place === undefined ? `${kind} is left` : `${kind} is left, made ${fromHere(place)}`;
}

/** Neither Node's own, nor a function of the engine such as `Array.reduce`, which has no line. */
export const isInCode = (line: string): boolean =>
  !line.includes("node:") && !/\(<anonymous>\)$|\(index \d+\)$/.test(line);

/** Places are told from the working directory: a report that is committed names no folder of one machine. */
export const fromHere = (place: string): string =>
  place.replaceAll(pathToFileURL(`${process.cwd()}/`).href, "").replaceAll(`${process.cwd()}${sep}`, "");

function stackHere(): () => readonly string[] {
  const holder: { stack?: string } = {};
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 30;
  Error.captureStackTrace(holder, stackHere);
  Error.stackTraceLimit = limit;
  return () => {
    const lines = (holder.stack ?? "")
      .split("\n")
      .slice(1)
      .map((line) => line.trim());
    const first = lines.findIndex((line) => !MACHINERY.test(line));
    return first === -1 ? [] : lines.slice(first);
  };
}

/** Between the hook and the code that called `setTimeout` or opened a socket. */
const MACHINERY =
  /leftovers|AsyncHook|emitInit|initAsyncResource|new Timeout|node:timers|node:internal\/timers/;
