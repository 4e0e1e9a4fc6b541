import { createRoute } from "@hono/zod-openapi";

import { createEventLog, type EventLog } from "../runs/event-log.ts";
import type { Service } from "../service.ts";
import type * as stored from "../store/store.ts";
import { presentJob } from "./present.ts";
import { fault, notFound } from "./problem.ts";
import { createRouter, failures, IdParam, reply } from "./routing.ts";
import { type Job, type JobEvent, JobEventSchema, JobListSchema, JobSchema } from "./schemas.ts";
import { sseResponse } from "./sse.ts";

const PATH = "/api/v1/jobs";
const LISTED = 500;

export function jobRoutes(service: Service) {
  const { store, ingestor, downloads } = service;
  const present = presenter(service);
  return createRouter()
    .openapi(
      createRoute({
        method: "get",
        path: PATH,
        summary: "All jobs, newest first",
        responses: { 200: reply(JobListSchema, "At most 500."), ...failures },
      }),
      async (context) => {
        const rows = (await store.listJobs({ limit: LISTED })).map(present);
        const jobs = [...downloads.list(), ...rows].toSorted((a, b) =>
          b.createdAt.localeCompare(a.createdAt),
        );
        return context.json({ jobs: jobs.slice(0, LISTED) }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: `${PATH}/events`,
        summary: "The steps of all jobs from now on",
        description: "Server-sent events. One stream for a page that watches many jobs.",
        responses: { 200: events("Until the client leaves."), ...failures },
      }),
      async () => {
        const open = [...(await store.listJobs({ limit: LISTED })).map(present), ...downloads.list()];
        const { log, stop } = watch(service);
        for (const job of open) if (!isOver(job)) log.append(eventOf(job));
        return sseResponse(log, { onClose: stop });
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: `${PATH}/{id}`,
        summary: "One job",
        request: { params: IdParam },
        responses: { 200: reply(JobSchema, "As it is now."), ...failures },
      }),
      async (context) => context.json(await requireJob(service, context.req.valid("param").id), 200),
    )
    .openapi(
      createRoute({
        method: "delete",
        path: `${PATH}/{id}`,
        summary: "Cancel a job",
        description: "A document keeps its former version. A job that has ended is left as it is.",
        request: { params: IdParam },
        responses: { 200: reply(JobSchema, "As it is now."), ...failures },
      }),
      async (context) => {
        const { id } = await requireJob(service, context.req.valid("param").id);
        if (downloads.cancel(id) === undefined) await ingestor.cancel(id);
        return context.json(await requireJob(service, id), 200);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: `${PATH}/{id}/retry`,
        summary: "Queue a failed job, or a cancelled download, again",
        request: { params: IdParam },
        responses: { 202: reply(JobSchema, "Queued."), ...failures },
      }),
      async (context) => {
        const job = await requireJob(service, context.req.valid("param").id);
        if (job.status !== "failed" && job.status !== "cancelled") {
          throw fault({
            status: 409,
            code: "job-not-ended",
            detail: `The job is ${job.status}; only one that failed or was cancelled can be tried again.`,
            retryable: false,
          });
        }
        if (job.kind === "download") {
          return context.json(
            await downloads.start({ model: job.model ?? job.title, backend: job.providerId }),
            202,
          );
        }
        if (job.status === "cancelled") {
          throw fault({
            status: 409,
            code: "job-not-kept",
            detail: "The job was cancelled, and what it needed went with it.",
            hint: "Add the document again, or index the collection anew.",
            retryable: false,
          });
        }
        await ingestor.retry(job.id);
        return context.json(await requireJob(service, job.id), 202);
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: `${PATH}/{id}/events`,
        summary: "The steps of one job",
        description: "Server-sent events, from how it is now to its end.",
        request: { params: IdParam },
        responses: { 200: events("Until the job has ended."), ...failures },
      }),
      async (context) => {
        const { id } = context.req.valid("param");
        const { log, stop } = watch(service, id);
        const job = await requireJob(service, id).catch((error: unknown) => {
          stop();
          throw error;
        });
        // Its end may have come while it was read.
        if (!log.ended && log.length === 0) log.append(eventOf(job));
        if (!log.ended && isOver(job)) log.end();
        return sseResponse(log, { onClose: stop });
      },
    );
}

function events(description: string) {
  return { description, content: { "text/event-stream": { schema: JobEventSchema } } };
}

function presenter({ ingestor }: Service): (row: stored.Job) => Job {
  return (row) => {
    const open = row.status === "queued" || row.status === "running";
    return presentJob(row, open ? ingestor.waiting().get(row.id) : undefined);
  };
}

async function requireJob(service: Service, id: string): Promise<Job> {
  const { store, downloads } = service;
  const download = downloads.get(id);
  if (download !== undefined) return download;
  const row = await store.getJob(id);
  if (row === undefined) throw notFound("job", id, "It was deleted with its document, or it never was.");
  return presenter(service)(row);
}

/** A listener that falls this far behind misses steps; each later one carries its whole job. */
const KEPT_STEPS = 5_000;

/** Steps of all jobs, or of one, whose end ends the log. */
function watch(service: Service, only?: string) {
  const { ingestor, downloads } = service;
  const present = presenter(service);
  const log: EventLog<JobEvent> = createEventLog<JobEvent>({ keep: KEPT_STEPS });
  const add = (job: Job) => {
    if (log.ended || (only !== undefined && job.id !== only)) return;
    log.append(eventOf(job));
    if (only !== undefined && isOver(job)) log.end();
  };
  const stops = [ingestor.subscribe(({ job }) => add(present(job))), downloads.subscribe(add)];
  return {
    log,
    stop: () => {
      for (const stop of stops) stop();
    },
  };
}

function isOver({ status }: Job): boolean {
  return status === "completed" || status === "failed" || status === "cancelled";
}

function eventOf(job: Job): JobEvent {
  if (job.status === "completed") return { type: "job.completed", job };
  if (job.status === "cancelled") return { type: "job.cancelled", job };
  if (job.status === "failed" && job.error !== undefined)
    return { type: "job.failed", job, error: job.error };
  const { stage, done, total } = job;
  return { type: "job.progress", stage, done, ...(total === undefined ? {} : { total }), job };
}
