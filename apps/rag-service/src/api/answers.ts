import { createRoute, z } from "@hono/zod-openapi";

import { toApiHit } from "../answer-events.ts";
import { answerQuestion } from "../answer.ts";
import type { Turn } from "../prompt.ts";
import type { RunContext, RunOutcome } from "../runs/execute-run.ts";
import type { Service } from "../service.ts";
import { resolveTargets } from "../targets.ts";
import { requireCollection } from "./collections.ts";
import { notFound, problemResponse, unsupported } from "./problem.ts";
import { body, createRouter, failures, IdParam, reply } from "./routing.ts";
import {
  type AnswerRequest,
  AnswerRequestSchema,
  RunEventSchema,
  RunListSchema,
  RunSchema,
  SearchRequestSchema,
  SearchResponseSchema,
} from "./schemas.ts";
import { lastEventId, sseResponse } from "./sse.ts";

const RUN = "/api/v1/runs/{id}";
/** Earlier turns that a model may be reminded of. */
const TURNS = 4;

const eventStream = { "text/event-stream": { schema: RunEventSchema } };
const AfterQuery = z.object({
  after: z.string().optional().openapi({ description: "For clients that cannot send `Last-Event-ID`." }),
});

export function answerRoutes(service: Service) {
  const { store, searcher, runs } = service;
  return createRouter()
    .openapi(
      createRoute({
        method: "post",
        path: "/api/v1/search",
        summary: "Passages that fit a query, with their scores",
        request: body(SearchRequestSchema),
        responses: { 200: reply(SearchResponseSchema, "Best first."), ...failures },
      }),
      async (context) => {
        const { query, collectionIds, mode, topK, minScore, filter, rerank } = context.req.valid("json");
        if (rerank === true) throw unsupported("Reranking", "Leave `rerank` out.");
        for (const id of collectionIds ?? []) await requireCollection(store, id);
        const started = performance.now();
        const documentIds = filter?.documentIds;
        const { signal } = context.req.raw;
        const result = await searcher.search({
          query,
          collectionIds,
          documentIds,
          mode,
          topK,
          minScore,
          signal,
        });
        const timings = { totalMs: Math.round(performance.now() - started) };
        const { coverage, warnings } = result;
        const hits = result.hits.map(toApiHit);
        return context.json({ hits, mode: result.mode, coverage, warnings: [...warnings], timings }, 200);
      },
    )
    .openapi(
      createRoute({
        method: "post",
        path: "/api/v1/answer",
        summary: "Answer a question from the documents",
        description:
          "With `stream` (the default) as server-sent events, else as one JSON object. The best quotes come at once. " +
          "A client that leaves stops the answer, unless it asked to `detach`.",
        request: body(AnswerRequestSchema),
        responses: {
          200: {
            description: "The answer.",
            content: { ...eventStream, "application/json": { schema: RunSchema } },
          },
          ...failures,
        },
      }),
      async (context) => {
        const request = context.req.valid("json");
        const answer = await prepareAnswer(service, request);
        const { signal } = context.req.raw;
        const { runId } = runs.start(request, answer);
        const { log, leave } = runs.join(runId);
        if (request.stream !== false) {
          return sseResponse(log, { onClose: leave, headers: { "x-run-id": runId } });
        }
        signal.addEventListener("abort", leave, { once: true });
        // Whoever left while the models were looked up is not announced again.
        if (signal.aborted) leave();
        try {
          const run = await runs.finished(runId);
          // What had come before the fault can be read under the run's id.
          if (run.error !== undefined) return problemResponse({ ...run.error, runId });
          return context.json(run, 200);
        } finally {
          signal.removeEventListener("abort", leave);
          leave();
        }
      },
    )
    .openapi(
      createRoute({
        method: "get",
        path: "/api/v1/runs",
        summary: "The latest answers",
        request: { query: z.object({ limit: z.coerce.number().int().min(1).max(100).default(20) }) },
        responses: { 200: reply(RunListSchema, "Newest first."), ...failures },
      }),
      (context) => context.json({ runs: [...runs.list(context.req.valid("query").limit)] }, 200),
    )
    .openapi(
      createRoute({
        method: "get",
        path: RUN,
        summary: "One answer as it is now",
        request: { params: IdParam },
        responses: { 200: reply(RunSchema, "Finished or not."), ...failures },
      }),
      (context) => context.json(runs.get(context.req.valid("param").id), 200),
    )
    .openapi(
      createRoute({
        method: "get",
        path: `${RUN}/events`,
        summary: "The events of an answer, from the last one that the client has",
        request: { params: IdParam, query: AfterQuery },
        responses: { 200: { description: "To its end.", content: eventStream }, ...failures },
      }),
      (context) => {
        const { log, leave } = runs.join(context.req.valid("param").id);
        const after = lastEventId(context.req.header("last-event-id"), context.req.valid("query").after);
        return sseResponse(log, { after, onClose: leave });
      },
    )
    .openapi(
      createRoute({
        method: "delete",
        path: RUN,
        summary: "Stop an answer",
        description: "What had arrived stays. One that has ended is left as it is.",
        request: { params: IdParam },
        responses: { 200: reply(RunSchema, "As it is now."), ...failures },
      }),
      (context) => context.json(runs.cancel(context.req.valid("param").id), 200),
    )
    .openapi(
      createRoute({
        method: "post",
        path: `${RUN}/cancel`,
        summary: "Stop an answer, for a page that is being left",
        description: "The same as DELETE, for `navigator.sendBeacon`, which can only post.",
        request: { params: IdParam },
        responses: { 200: reply(RunSchema, "As it is now."), ...failures },
      }),
      (context) => context.json(runs.cancel(context.req.valid("param").id), 200),
    );
}

/** What can be refused is refused before a run begins. */
async function prepareAnswer(
  service: Service,
  request: AnswerRequest,
): Promise<(context: RunContext) => Promise<RunOutcome>> {
  const { store, models, active, runs } = service;
  for (const id of request.collectionIds ?? []) await requireCollection(store, id);
  for (const id of request.retrieval?.filter?.documentIds ?? []) {
    if ((await store.getDocument(id)) === undefined)
      throw notFound("document", id, "It was deleted, or it never was.");
  }
  const targets = request.mode === "quote" ? [] : await resolveTargets(models, request, await active.read());
  const history = (conversationId: string): Turn[] =>
    request.conversationId === undefined
      ? []
      : runs
          .conversation(conversationId, TURNS)
          .filter((run) => run.mode === "generate")
          .map(({ question, answer }) => ({ question, answer }));
  const { registry, searcher, ingestor } = service;
  const embedder = async () => models.embedder();
  const weakEmbedder = async () => (await models.embedderChoice())?.demonstration === true;
  const parts = { registry, store, searcher, embedder, weakEmbedder, history, waiting: ingestor.waiting };
  return (context) => answerQuestion(parts, targets, context);
}
