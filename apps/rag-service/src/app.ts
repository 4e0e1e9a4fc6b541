/** The HTTP application: security first, then the routes, then the page. Everything that fails leaves as a problem. */
import { OpenAPIHono } from "@hono/zod-openapi";
import { bodyLimit } from "hono/body-limit";

import { answerRoutes } from "./api/answers.ts";
import { collectionRoutes } from "./api/collections.ts";
import { documentRoutes } from "./api/documents.ts";
import { jobRoutes } from "./api/jobs.ts";
import { modelRoutes } from "./api/models.ts";
import { oneDocumentRoutes } from "./api/one-document.ts";
import { operationRoutes, VERSION } from "./api/operations.ts";
import { bugLine, fault, isBug, problemResponse, shorten, toProblem } from "./api/problem.ts";
import { sourceRoutes } from "./api/sources.ts";
import { brokeOff, discardRest } from "./api/upload.ts";
import { servePage } from "./page.ts";
import { checkHost, checkKey, checkOrigin, secureHeaders } from "./security.ts";
import type { Service } from "./service.ts";

/** The largest body of a request that carries no document. */
const MAX_JSON_BYTES = 1_000_000;
const DOCUMENTS = /^\/api\/v1\/collections\/[^/]+\/documents(?:\/|$)/;

export function createApp(service: Service): OpenAPIHono {
  const app = new OpenAPIHono();
  const { settings, report } = service;

  app.onError((error, context) => {
    if (isBug(error) && !brokeOff(context))
      report(bugLine(error, `${context.req.method} ${context.req.path}`));
    const response = problemResponse(toProblem(error));
    for (const [name, value] of context.res.headers)
      if (name === "www-authenticate") response.headers.set(name, value);
    return response;
  });
  app.notFound((context) => {
    const { method, path } = context.req;
    throw fault({
      status: 404,
      code: "not-found",
      detail: `There is nothing at ${method} ${shorten(path)}.`,
      hint: "All paths are listed in /openapi.json.",
      retryable: false,
    });
  });

  app.use(secureHeaders());
  app.use(async (context, next) => {
    await next();
    const { method } = context.req;
    if (method !== "GET" && method !== "HEAD") discardRest(context);
    // Nobody will read the body: whatever streams it must hear that, or it waits for its reader for ever.
    if (method === "HEAD") await context.res.body?.cancel();
  });
  app.use(checkHost({ host: settings.host, apiKey: settings.apiKey, allowedHosts: settings.allowedHosts }));
  app.use(checkKey(settings.apiKey));
  app.use(checkOrigin());
  app.use("/api/*", checkBody());

  for (const routes of [
    operationRoutes(service),
    collectionRoutes(service),
    documentRoutes(service),
    oneDocumentRoutes(service),
    sourceRoutes(service),
    jobRoutes(service),
    answerRoutes(service),
    modelRoutes(service),
  ]) {
    app.route("/", routes);
  }
  app.doc31("/openapi.json", {
    openapi: "3.1.0",
    info: {
      title: "Enginehouse RAG service",
      version: VERSION,
      description: "Answers from your own documents, every sentence traced to a page.",
    },
  });
  app.get("*", servePage(settings.publicDir));
  return app;
}

/** JSON, of a bounded size; documents have bounds of their own. */
function checkBody() {
  const limit = bodyLimit({
    maxSize: MAX_JSON_BYTES,
    onError() {
      throw fault({
        status: 413,
        code: "too-large",
        detail: `The body of the request is larger than ${MAX_JSON_BYTES / 1_000_000} MB.`,
        hint: "Add long texts as documents; a question has at most 8000 characters.",
        retryable: false,
      });
    },
  });
  return (async (context, next) => {
    const { method, path } = context.req;
    if (!["POST", "PUT", "PATCH"].includes(method) || DOCUMENTS.test(path)) return next();
    const length = context.req.header("content-length");
    const empty =
      length === "0" ||
      (length === undefined &&
        context.req.header("transfer-encoding") === undefined &&
        context.req.raw.body === null);
    const type = context.req.header("content-type") ?? "";
    // A beacon and a probe carry nothing; whatever carries something must say that it is JSON.
    if (
      !empty &&
      !/^application\/(?:[\w.+-]+\+)?json\b/i.test(type) &&
      !/\/(?:cancel|probe|retry|reindex)$/.test(path)
    ) {
      throw fault({
        status: 415,
        code: "unsupported-media-type",
        detail:
          type === ""
            ? "The request does not say what its body is."
            : `A body of type "${shorten(type)}" is not understood here.`,
        hint: "Send JSON with `content-type: application/json`.",
        retryable: false,
      });
    }
    return limit(context, next);
  }) satisfies Parameters<OpenAPIHono["use"]>[1];
}
