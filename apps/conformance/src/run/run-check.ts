import type { Check } from "../check.ts";
import type { CheckResult, Failed, FailureCause } from "../report/report.ts";
import type { KnownFailure, Subject } from "../subject.ts";
import { createBench, type RunBench } from "./bench.ts";
import { deadline, now, sleep, turn } from "./clock.ts";
import { watchExits } from "./exits.ts";
import { yearAfter } from "./known-until.ts";
import { aside, watchLeftovers } from "./leftovers.ts";
import type { SubjectPackage } from "./manifest.ts";
import { seededRandom } from "./random.ts";
import { slowed } from "./slowness.ts";
import { placeOf, watchStrays } from "./strays.ts";

/** One check that is to be run. */
export interface Planned {
  readonly check: Check;
  readonly known?: KnownFailure | undefined;
}

export interface RunSetting {
  readonly subject: Subject;
  readonly described: SubjectPackage;
  readonly seed: number;
  /** `2026-11-21`: decides whether a known failure is still one. */
  readonly date: string;
}

/** Runs one check, closes what it opened, and looks at what is left. Never rejects, and never takes for ever. */
export function runCheck(planned: Planned, setting: RunSetting): Promise<CheckResult> {
  const result = latest.then(() => runAlone(planned, setting));
  latest = result.then(undefined, () => undefined);
  return result;
}

/** One after the other in the whole process: what is left behind must have one culprit. */
let latest: Promise<unknown> = Promise.resolve();

export const DEFAULT_LIMIT_MS = 10_000;
/** For each of: closing the providers, closing the backends. */
export const CLOSE_LIMIT_MS = 5_000;
/** How long what was closed may take to be gone. */
export const SETTLE_MS = 500;
/** The same after a check that failed by itself: what it left is only told beside it. */
const SETTLE_FAILED_MS = 50;

interface Fault {
  readonly cause: FailureCause;
  readonly message: string;
  /** The requests of that moment. */
  readonly wire?: readonly string[];
}

async function runAlone(planned: Planned, setting: RunSetting): Promise<CheckResult> {
  const { check } = planned;
  const began = now();
  const stop = new AbortController();
  const strays = watchStrays();
  const exits = watchExits(check);
  const leftovers = watchLeftovers();
  const run = createBench({
    ...setting,
    random: seededRandom(setting.seed, check.id),
    signal: stop.signal,
    aside,
  });
  try {
    const { slowness = 1 } = setting.subject.backend;
    const inScope = <Result>(inside: () => Result): Result => leftovers.run(() => slowed(slowness, inside));
    const faults = await tryOut(limited(check, slowness), run, stop, inScope);
    const left = await lookAround(faults.length === 0 ? SETTLE_MS : SETTLE_FAILED_MS);
    const [first, ...further] = [
      ...faults,
      ...left.map((message): Fault => ({ cause: "leftovers", message })),
    ];
    return verdictOf(planned, setting.date, {
      ms: Math.max(1, Math.round(now() - began)),
      requests: run.requests(),
      saw: [
        ...run.saw,
        ...(first?.wire ?? []),
        ...(first?.cause === "leftovers" ? [] : further.map(({ message }) => message)),
      ],
      fault: first?.cause === "leftovers" ? together([first, ...further]) : first,
    });
  } finally {
    leftovers.stop();
    strays.stop();
    exits.stop();
  }

  /** What the code inside has left, once it had a moment to vanish. */
  async function lookAround(withinMs: number): Promise<readonly string[]> {
    const end = now() + withinMs;
    await turn();
    while (leftovers.list().length > 0 && now() < end) await sleep(5);
    await turn();
    return [...strays.list(), ...new Set(leftovers.list())];
  }
}

/** The check with the time that it may take. */
const limited = (check: Check, slowness: number): Check => ({
  ...check,
  limitMs: (check.limitMs ?? DEFAULT_LIMIT_MS) * slowness,
});

/** The check itself and the closing after it, each within its time. */
async function tryOut(
  check: Check,
  run: RunBench,
  stop: AbortController,
  inside: <Result>(run: () => Result) => Result,
): Promise<readonly Fault[]> {
  const limitMs = check.limitMs ?? DEFAULT_LIMIT_MS;
  const fault = await within(limitMs, () => inside(() => check.run(run.bench)), "the check", "promise");
  // Before anything is closed, which ends what the fault may have left open.
  const broken = fault === undefined ? undefined : { ...fault, wire: run.wire() };
  // Not after a check that is over: whoever still listened to the signal would then be hard to see.
  if (broken?.cause === "time") stop.abort(new Error(`the check ${check.id} was not over in time`));
  const closing = "close() of the provider";
  const unclosed = await within(
    CLOSE_LIMIT_MS,
    () => inside(() => run.closeProviders()),
    closing,
    "leftovers",
  );
  const kept =
    unclosed === undefined ? await run.complaints(broken === undefined ? SETTLE_MS : SETTLE_FAILED_MS) : [];
  const still = await within(
    CLOSE_LIMIT_MS,
    () => run.closeBackends(),
    "closing the fake backend",
    "leftovers",
  );
  return [broken, unclosed, ...kept.map((message): Fault => ({ cause: "leftovers", message })), still].filter(
    (fault) => fault !== undefined,
  );
}

/** The fault of `attempt`, where it has one or is not over in time. */
async function within(
  ms: number,
  attempt: () => Promise<void>,
  what: string,
  cause: FailureCause,
): Promise<Fault | undefined> {
  const limit = deadline(ms);
  const tried = (async () => attempt())().then(
    (): undefined => undefined,
    (error: unknown): Fault => ({
      cause,
      message: cause === "promise" ? textOf(error) : `${what}: ${textOf(error)}`,
    }),
  );
  const first = await Promise.race([tried, limit.over]);
  limit.clear();
  if (first !== "over") return first;
  return { cause: cause === "promise" ? "time" : cause, message: `${what} was not over within ${ms} ms` };
}

function together(faults: readonly Fault[]): Fault {
  return {
    cause: "leftovers",
    message: `after the check: ${faults.map(({ message }) => message).join("; ")}`,
  };
}

interface Outcome {
  readonly ms: number;
  readonly requests: number;
  readonly saw: readonly string[];
  readonly fault: Fault | undefined;
}

/** Whatever the check promised, what was left behind is another matter. */
const LEFTOVERS = {
  why: "What a provider forgets, its host keeps: a socket at the server, a timer that holds the process, a listener more with every call.",
  fix: "End timers and listeners in a `finally`, take every promise's rejection, never write to a request, and let close() end sockets and children and wait until they are gone. `fetch` keeps its connections in a pool that no close() reaches: send requests through an agent of your own, or with the header `connection: close`.",
} as const;

function verdictOf({ check, known }: Planned, date: string, { fault, ...ran }: Outcome): CheckResult {
  const { id, group, promise, why, fix } = check;
  const named = { id, group, promise, ...ran };
  const failed = ({ cause, message }: Fault): Failed => ({
    ...named,
    verdict: "failed",
    cause,
    message,
    ...(cause === "leftovers" ? LEFTOVERS : { why, fix }),
  });
  if (known === undefined) return fault === undefined ? { ...named, verdict: "passed" } : failed(fault);
  const { issue, until } = known;
  if (fault === undefined) {
    return failed({ cause: "kept", message: `it passes: remove ${id} from the known failures (${issue})` });
  }
  if (date > until) {
    return failed({
      cause: "expired",
      message: `it was a known failure until ${until} (${issue}): ${fault.message}`,
    });
  }
  if (until > yearAfter(date)) {
    return failed({
      cause: "expired",
      message: `a known failure ends within a year, by ${yearAfter(date)} and not ${until} (${issue}): ${fault.message}`,
    });
  }
  return { ...named, verdict: "known-failure", message: fault.message, issue, until };
}

/** What was thrown, in the words of who threw it: an assertion's message, with the first place outside of Node for anything else. */
function textOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return `something that is no Error was thrown: ${String(thrown)}`;
  if (thrown.name === "AssertionError") return ownWords(thrown);
  const code = (thrown as { readonly code?: unknown }).code;
  const name = typeof code === "string" ? `${thrown.name} ${code}` : thrown.name;
  const { cause = thrown } = thrown;
  return `${name}: ${thrown.message}${cause instanceof Error && cause.name !== "LlmError" ? placeOf(cause) : ""}`;
}

/** Newer versions of Node write a comparison below a message that says it all. */
function ownWords({ message, ...rest }: Error & { readonly generatedMessage?: boolean }): string {
  if (rest.generatedMessage !== false) return message.trimEnd();
  return message.replace(/\n(?:\+ actual - expected\n|\n.* (?:!==|!=) )[\s\S]*$/, "").trimEnd();
}
