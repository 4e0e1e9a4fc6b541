import { mkdir, writeFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";

import { CHECKS } from "../checks/index.ts";
import { type LiveOptions, runLive } from "../live/run-live.ts";
import { badgeOf } from "../report/badge.ts";
import { inkFor } from "../report/ink.ts";
import { junitOf } from "../report/junit.ts";
import { markdownOf } from "../report/markdown.ts";
import type { Report } from "../report/report.ts";
import { tableOf } from "../report/table.ts";
import { planChecks } from "../run/plan.ts";
import { runChecks } from "../run/run-checks.ts";
import { usageFault, type Values } from "./arguments.ts";
import type { Terminal } from "./main.ts";
import { createProgress, type ProgressStream } from "./progress.ts";
import { staleBuild } from "./stale-build.ts";
import { readSubject } from "./subject-file.ts";
import { startWatchdog, type Watchdog } from "./watchdog.ts";

/** Runs, reports, and tells whether all is green. */
export async function run(words: readonly string[], values: Values, terminal: Terminal): Promise<boolean> {
  if (words.length > 1) throw usageFault(`one subject at a time, not ${words.join(", ")}`);
  const { stdout, stderr, env, folder, checks = CHECKS } = terminal;
  const seed = seedOf(values.seed);
  const only = values.only?.flatMap((list) => list.split(","));
  const live = liveOf(values, env);
  const watchdog = watch(terminal);
  try {
    const subject = await readSubject(words[0], folder);
    const stale = staleBuild(subject);
    if (stale !== undefined) stderr.write(`${stale}\n`);
    const progress = createProgress(planChecks(subject, checks, only), stderr);
    const wire = await runChecks(subject, {
      ...progress,
      onStart(check) {
        watchdog?.running(`${check.id} (${check.promise})`);
        progress.onStart(check);
      },
      only,
      seed,
      checks,
      date: terminal.date,
    }).finally(() => progress.end());
    const report: Report =
      live === undefined
        ? wire
        : { ...wire, live: await runLive(subject, { ...live, ...liveProgress(stderr, watchdog) }) };

    await writeReports(report, values, folder);
    stdout.write(tableOf(report, { ink: inkFor(stdout, env), width: widthOf(stdout) }));
    return report.green && report.live?.green !== false;
  } finally {
    watchdog?.stop();
  }
}

function watch({ blockedAfterMs }: Terminal): Watchdog | undefined {
  if (blockedAfterMs === undefined) return undefined;
  const watchdog = startWatchdog(blockedAfterMs);
  watchdog.running("the import of the subject");
  return watchdog;
}

export const widthOf = ({ columns = 100 }: { readonly columns?: number }): number =>
  Math.min(120, Math.max(60, columns));

function seedOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  const seed = Number(text);
  if (/^\d+$/.test(text) && seed <= 0xff_ff_ff_ff) return seed;
  throw usageFault(`--seed takes a whole number below 4294967296, not "${text}"`);
}

function liveOf(values: Values, env: NodeJS.ProcessEnv) {
  const { live: url, model, "embedding-model": embeddingModel, "key-env": keyName } = values;
  const embeddingUrl = values["embedding-url"];
  if (url === undefined) {
    const lone = (["model", "embedding-model", "embedding-url", "key-env"] as const).find(
      (name) => values[name] !== undefined,
    );
    if (lone !== undefined) throw usageFault(`--${lone} goes with --live`);
    return undefined;
  }
  if (!URL.canParse(url)) throw usageFault(`--live takes an address, not "${url}"`);
  if (model === undefined) throw usageFault("--live needs --model");
  if (embeddingUrl !== undefined) {
    if (!URL.canParse(embeddingUrl))
      throw usageFault(`--embedding-url takes an address, not "${embeddingUrl}"`);
    if (embeddingModel === undefined) throw usageFault("--embedding-url needs --embedding-model");
  }
  const key = keyName === undefined ? undefined : env[keyName];
  if (keyName !== undefined && (key === undefined || key === "")) {
    throw usageFault(`--key-env names ${keyName}, which is not set`);
  }
  return { url, model, embeddingModel, embeddingUrl, key };
}

/** A real model takes its time: each look at it has a line. */
function liveProgress(stderr: ProgressStream, watchdog: Watchdog | undefined): Partial<LiveOptions> {
  return {
    onStart: ({ id, promise }) => watchdog?.running(`${id} (${promise})`),
    onResult: ({ id, verdict }) => void stderr.write(`${id}: ${verdict}\n`),
  };
}

async function writeReports(report: Report, values: Values, folder: string): Promise<void> {
  const texts = {
    json: () => `${JSON.stringify(report, undefined, 2)}\n`,
    junit: () => junitOf(report),
    markdown: () => markdownOf(report),
    badge: () => `${JSON.stringify(badgeOf(report))}\n`,
  } as const;
  for (const kind of ["json", "junit", "markdown", "badge"] as const) {
    const name = values[kind];
    if (name === undefined) continue;
    const file = resolve(folder, name);
    await mkdir(dirname(file), { recursive: true });
    await writeFile(file, texts[kind]());
  }
}
