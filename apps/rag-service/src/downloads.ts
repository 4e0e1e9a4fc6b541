/** Models on their way here, as jobs: progress, cancel, and the reason when it fails. */
import { randomUUID } from "node:crypto";

import { isLlmError, LlmError, type PullProgress, type Registry } from "@enginehouse/llm-core";

import { bugLine, isBug, toProblem } from "./api/problem.ts";
import type { Job } from "./api/schemas.ts";
import { pullingProviders } from "./catalogue.ts";
import type { ServiceConfig } from "./config.ts";

export interface Downloads {
  /** One model of one provider is fetched once, however often it is asked for. */
  start(request: { readonly model: string; readonly backend?: string | undefined }): Promise<Job>;
  list(): readonly Job[];
  get(id: string): Job | undefined;
  cancel(id: string): Job | undefined;
  /** Calls back on every step, until the returned function is called. */
  subscribe(listener: (job: Job) => void): () => void;
  close(): Promise<void>;
}

export interface DownloadsOptions {
  readonly registry: Registry;
  readonly config: ServiceConfig;
  /** Where model files may be put by hand. */
  readonly modelsDir: string;
  /** A model has arrived. */
  readonly onInstalled: () => void;
  readonly report: (line: string) => void;
}

/** Ended downloads that are still listed. */
const KEPT = 50;

interface Running {
  job: Job;
  readonly controller: AbortController;
  done: Promise<void>;
}

export function createDownloads({
  registry,
  config,
  modelsDir,
  onInstalled,
  report,
}: DownloadsOptions): Downloads {
  const downloads = new Map<string, Running>();
  const listeners = new Set<(job: Job) => void>();

  const update = (one: Running, changes: Partial<Job>) => {
    one.job = { ...one.job, ...changes, updatedAt: new Date().toISOString() };
    for (const listener of listeners) listener(one.job);
  };

  /** Without a network there is still a way, and it is named. */
  const problemOf = (error: unknown) => {
    const problem = toProblem(error);
    if (!isLlmError(error) || error.code !== "unavailable" || error.phase !== "connect") return problem;
    const hint = `Is this computer online? A model can also come by hand: put its GGUF file into ${modelsDir}.`;
    return { ...problem, hint };
  };

  const fetchModel = async (one: Running, providerId: string, model: string) => {
    try {
      const provider = await registry.provider(providerId);
      if (provider.pullModel === undefined) throw cannotPull(providerId, registry, config);
      update(one, { status: "running", stage: "resolving" });
      for await (const progress of provider.pullModel({ model }, { signal: one.controller.signal })) {
        update(one, progressOf(progress));
      }
      update(one, {
        status: "completed",
        stage: "done",
        ...(one.job.total === undefined ? {} : { done: one.job.total }),
      });
      onInstalled();
    } catch (error) {
      if (one.controller.signal.aborted) return update(one, { status: "cancelled" });
      if (isBug(error)) report(bugLine(error, `download of ${model}`));
      update(one, { status: "failed", error: problemOf(error) });
    }
  };

  return {
    async start({ model, backend }) {
      const providerId = chooseBackend(registry, config, backend);
      for (const { job } of downloads.values()) {
        const same = job.providerId === providerId && job.model === model;
        if (same && (job.status === "queued" || job.status === "running")) return job;
      }
      const ended = [...downloads.values()].filter(
        ({ job }) => job.status !== "queued" && job.status !== "running",
      );
      for (const { job } of ended.slice(0, Math.max(0, ended.length - KEPT))) downloads.delete(job.id);
      const now = new Date().toISOString();
      const one: Running = {
        job: {
          id: `job_${randomUUID()}`,
          kind: "download",
          status: "queued",
          stage: "waiting",
          done: 0,
          unit: "bytes",
          title: model,
          providerId,
          model,
          createdAt: now,
          updatedAt: now,
        },
        controller: new AbortController(),
        done: Promise.resolve(),
      };
      const { job } = one;
      downloads.set(job.id, one);
      one.done = fetchModel(one, providerId, model);
      return job;
    },
    list: () => [...downloads.values()].map(({ job }) => job).reverse(),
    get: (id) => downloads.get(id)?.job,
    cancel(id) {
      const one = downloads.get(id);
      one?.controller.abort();
      return one?.job;
    },
    subscribe(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async close() {
      for (const one of downloads.values()) one.controller.abort();
      await Promise.all([...downloads.values()].map((one) => one.done));
    },
  };
}

function progressOf({ status, fraction, receivedBytes, totalBytes }: PullProgress): Partial<Job> {
  if (totalBytes !== undefined) {
    return {
      stage: status,
      done: receivedBytes ?? Math.round((fraction ?? 0) * totalBytes),
      total: totalBytes,
    };
  }
  // Without sizes the fraction is all there is: it is shown in thousandths.
  if (fraction !== undefined)
    return { stage: status, done: Math.round(fraction * 1000), total: 1000, unit: "steps" };
  return { stage: status, ...(receivedBytes === undefined ? {} : { done: receivedBytes }) };
}

/** The backend asked for, else the configured one where it is installed, else the only one that can fetch models. */
function chooseBackend(registry: Registry, config: ServiceConfig, asked: string | undefined): string {
  const configured = config.downloadBackend;
  const pullers = pullingProviders(registry, config).map(({ name }) => name);
  if (asked !== undefined) {
    if (pullers.includes(asked)) return asked;
    throw cannotPull(asked, registry, config);
  }
  if (configured !== undefined && pullers.includes(configured)) return configured;
  const [only, another] = pullers;
  if (only !== undefined && another === undefined) return only;
  throw new LlmError(
    "invalid-request",
    pullers.length === 0
      ? "No installed provider can fetch models."
      : "Several providers can fetch models: name one as `backend`.",
    { hint: pullers.length === 0 ? "Install a provider that can." : `One of: ${pullers.join(", ")}.` },
  );
}

function cannotPull(name: string, registry: Registry, config: ServiceConfig): LlmError {
  const pullers = pullingProviders(registry, config).map((one) => one.name);
  const installed = registry.names().includes(name);
  return new LlmError(
    installed ? "unsupported" : "invalid-request",
    installed ? `provider "${name}" cannot fetch models` : `no provider "${name}" is installed`,
    {
      ...(installed ? { provider: name } : {}),
      hint:
        pullers.length === 0
          ? "No installed provider can fetch models."
          : `These can: ${pullers.join(", ")}.`,
    },
  );
}
