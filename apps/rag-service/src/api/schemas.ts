/**
 * Everything that crosses the wire: requests, responses and events, each as one zod schema.
 * The routes validate with them, /openapi.json is made from them, and the page imports their types.
 */
export * from "./schemas/problem.ts";
export * from "./schemas/collection.ts";
export * from "./schemas/document.ts";
export * from "./schemas/source.ts";
export * from "./schemas/job.ts";
export * from "./schemas/search.ts";
export * from "./schemas/citation.ts";
export * from "./schemas/answer-request.ts";
export * from "./schemas/run.ts";
export * from "./schemas/run-event.ts";
export * from "./schemas/model.ts";
export * from "./schemas/settings.ts";
export * from "./schemas/operation.ts";
