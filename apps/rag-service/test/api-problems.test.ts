import { afterAll, beforeAll, expect, test } from "vitest";

import type { Problem } from "../src/api/schemas.ts";
import { createDouble, words } from "./double.ts";
import { addText, json, serviceUnderTest, type UnderTest } from "./under-test.ts";

let app: UnderTest;

beforeAll(async () => {
  app = await serviceUnderTest({
    plugins: [createDouble("house", [{ id: "steady", speak: words("Yes.") }])],
  });
  await addText(app.service, "note.txt", "The gate is green.");
});
afterAll(() => app.close());

async function problem(path: string, init?: RequestInit): Promise<Problem> {
  const response = await app.request(path, init);
  expect(response.headers.get("content-type")).toBe("application/problem+json");
  const body = (await response.json()) as Problem;
  expect(body.status).toBe(response.status);
  expect(JSON.stringify(body)).not.toMatch(/\.ts:\d|node_modules|at async/);
  return body;
}

test("JSON that is none is refused with what to look for", async () => {
  const refusal = await problem("/api/v1/answer", { ...json("POST", {}), body: '{"question": "wh' });
  expect(refusal).toMatchObject({ status: 400, code: "invalid-json", retryable: false });
  expect(refusal.hint).toContain("cut-off");
});

test("an unknown path says where all paths are", async () => {
  const refusal = await problem("/api/v1/nonsense");
  expect(refusal).toMatchObject({ status: 404, code: "not-found" });
  expect(refusal.hint).toContain("/openapi.json");
});

test("a body of another type is refused with the type that is wanted", async () => {
  const init = { method: "POST", headers: { "content-type": "text/plain" }, body: "what?" };
  const refusal = await problem("/api/v1/answer", init);
  expect(refusal).toMatchObject({ status: 415, code: "unsupported-media-type" });
  expect(refusal.hint).toContain("application/json");
});

test("a question of 100,000 characters is refused with the figure", async () => {
  const refusal = await problem("/api/v1/answer", json("POST", { question: "why ".repeat(25_000) }));
  expect(refusal).toMatchObject({ status: 400, code: "invalid-request" });
  expect(refusal.detail).toContain("8000");
  expect(refusal.detail).toContain("as a document");
});

test("a body over the bound is refused, with its length told or not", async () => {
  const large = json("POST", { question: "x".repeat(1_100_000) });
  expect(await problem("/api/v1/answer", large)).toMatchObject({ status: 413, code: "too-large" });
  const stream = new ReadableStream({
    pull: (controller) => controller.enqueue(new TextEncoder().encode("x".repeat(65_536))),
  });
  const init = { ...large, body: stream, duplex: "half" } as RequestInit;
  expect(await problem("/api/v1/answer", init)).toMatchObject({ status: 413, code: "too-large" });
});

test("an unknown field is named", async () => {
  const refusal = await problem("/api/v1/answer", json("POST", { question: "why?", temprature: 1 }));
  expect(refusal.status).toBe(400);
  expect(refusal.detail).toContain("temprature");
});

test("an unknown model is refused before a run begins, with those that can be named", async () => {
  for (const model of ["house/nobody", "nowhere/steady", "nonsense"]) {
    const refusal = await problem("/api/v1/answer", json("POST", { question: "why?", model }));
    expect(refusal).toMatchObject({ status: 404, code: "model-not-found" });
    expect(refusal.hint).toContain("house/steady");
  }
});

test("an unknown collection, document, job, run or provider is a 404 that says so", async () => {
  const search = await problem("/api/v1/search", json("POST", { query: "gate", collectionIds: ["attic"] }));
  expect(search).toMatchObject({ status: 404, code: "collection-not-found" });
  expect(search.hint).toContain("default");
  expect(await problem("/api/v1/documents/none")).toMatchObject({ status: 404, code: "document-not-found" });
  expect(await problem("/api/v1/documents/none/content")).toMatchObject({
    status: 404,
    code: "document-not-found",
  });
  expect(await problem("/api/v1/jobs/none/events")).toMatchObject({ status: 404, code: "job-not-found" });
  expect(await problem("/api/v1/runs/none/events")).toMatchObject({ status: 404, code: "run-not-found" });
  const probe = await problem("/api/v1/providers/none/probe", { method: "POST" });
  expect(probe).toMatchObject({ status: 404, code: "provider-not-found" });
  expect(probe.hint).toContain("house");
});

test("what is not there yet is refused, not ignored", async () => {
  const source = json("POST", { path: "/srv/documents", watch: true });
  expect(await problem("/api/v1/collections/default/sources", source)).toMatchObject({
    status: 422,
    code: "unsupported",
  });
  const search = json("POST", { query: "gate", rerank: true });
  expect(await problem("/api/v1/search", search)).toMatchObject({ status: 422, code: "unsupported" });
});

test("a relative folder is refused as a source", async () => {
  const refusal = await problem(
    "/api/v1/collections/default/sources",
    json("POST", { path: "../documents" }),
  );
  expect(refusal).toMatchObject({ status: 400, code: "invalid-request" });
});

test("patterns that are too much, or of another kind, are refused before the folder is read", async () => {
  const add = (patterns: object) =>
    problem("/api/v1/collections/default/sources", json("POST", { path: "/nowhere", ...patterns }));
  for (const [patterns, field, message] of [
    [{ include: ["{a,b}".repeat(17)] }, "include", "stand for more than 500 patterns"],
    [{ exclude: ["!(draft)*"] }, "exclude", "has a group"],
    [{ exclude: ["*.md", "a".repeat(501)] }, "exclude.1", "at most 500 characters"],
    [{ include: Array.from({ length: 101 }, () => "*") }, "include", "at most 100 patterns"],
  ] as const) {
    const refusal = await add(patterns);
    expect(refusal).toMatchObject({ status: 400, code: "invalid-request" });
    expect(refusal.issues).toEqual([{ path: field, message: expect.stringContaining(message) }]);
  }
});

test("documents are not deleted without a filter", async () => {
  const refusal = await problem("/api/v1/collections/default/documents", { method: "DELETE" });
  expect(refusal).toMatchObject({ status: 400, code: "invalid-request" });
  expect(await app.service.store.listDocuments()).toHaveLength(1);
});

test("a bug is a plain 500 for the client and one line for the operator", async () => {
  const broken = await serviceUnderTest();
  Object.assign(broken.service.searcher, {
    search: () => Promise.reject(new TypeError("undefined is not a function")),
  });
  const response = await broken.request("/api/v1/search", json("POST", { query: "gate" }));
  const body = (await response.json()) as Problem;
  expect(body).toMatchObject({ status: 500, code: "internal" });
  expect(JSON.stringify(body)).not.toContain("undefined is not a function");
  expect(broken.reported).toHaveLength(1);
  expect(broken.reported[0]).toContain("undefined is not a function");
  expect(broken.reported[0]).not.toContain("\n");
  await broken.close();
});

test("the description of the API names every event and path", async () => {
  const response = await app.request("/openapi.json");
  const document = (await response.json()) as {
    paths: Record<string, unknown>;
    components: { schemas: object };
  };
  for (const path of [
    "/api/v1/answer",
    "/api/v1/collections/{id}/documents",
    "/api/v1/jobs/{id}/events",
    "/api/models/download",
    "/api/v1/settings/active",
  ]) {
    expect(document.paths).toHaveProperty([path]);
  }
  expect(document.components.schemas).toHaveProperty("RunEvent");
  expect(document.components.schemas).toHaveProperty("Problem");
});
