/** Documents on their way in: a multipart upload, the raw bytes of a file, or a text as JSON. */
import { basename } from "node:path";

import { isLlmError } from "@enginehouse/llm-core";
import type { Context } from "hono";

import { displayName, type SubmitOptions } from "../ingest/ingest.ts";
import type { Service } from "../service.ts";
import { requireCollection } from "./collections.ts";
import { fault, shorten } from "./problem.ts";
import { type DocumentAccepted, type DocumentsAccepted, DocumentTextSchema } from "./schemas.ts";
import { bodyOf, readMultipart } from "./upload.ts";

type Content = Parameters<Service["ingestor"]["submit"]>[0];

const MAX_NAME = 500;

export async function takeDocuments(
  service: Service,
  context: Context,
  externalId: string | undefined,
): Promise<Response> {
  const { id: collectionId } = await requireCollection(service.store, context.req.param("id") ?? "");
  const documents: DocumentAccepted[] = [];
  const refused: DocumentsAccepted["refused"] = [];
  const { signal } = context.req.raw;
  const take = async (content: Content, options: Omit<SubmitOptions, "collectionId">) => {
    const submitted = await submit(service, content, { ...options, collectionId, externalId, signal });
    documents.push(presentAccepted(displayName(options.name), submitted));
  };

  const type = (context.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (type === "multipart/form-data") {
    await readMultipart(
      context,
      async ({ name, mediaType, content }) => {
        if (externalId !== undefined && documents.length > 0) {
          throw fault({
            status: 400,
            code: "invalid-request",
            detail: "One document has one file: the others were left out.",
          });
        }
        await take(content, { name, mediaType });
      },
      (name, problem) => refused.push({ name: displayName(name), problem }),
    );
  } else if (type === "application/json") {
    const { text, name, mediaType } = await readText(context, service.ingestor.settings.maxBytes);
    await take(Buffer.from(text), { name, mediaType: mediaType ?? "text/plain" });
  } else {
    const name = nameOf(context, externalId);
    const limit = service.ingestor.settings.maxBytes;
    if (Number(context.req.header("content-length") ?? 0) > limit) throw tooLarge(name, limit);
    await take(bodyOf(context), {
      name,
      mediaType: type === "" || type === "application/octet-stream" ? undefined : type,
    });
  }
  const [first] = documents;
  const [firstRefusal] = refused;
  if (first === undefined) throw fault(firstRefusal === undefined ? noFile() : { ...firstRefusal.problem });
  const unchanged = refused.length === 0 && documents.every(({ status }) => status === "unchanged");
  return context.json({ ...first, documents, refused } satisfies DocumentsAccepted, unchanged ? 200 : 202);
}

/** A refused file has a code of its own here, whatever the code of the part that noticed. */
async function submit({ ingestor }: Service, content: Content, options: SubmitOptions) {
  try {
    return await ingestor.submit(content, options);
  } catch (error) {
    if (isLlmError(error) && error.code === "input-too-long")
      throw tooLarge(options.name, ingestor.settings.maxBytes);
    if (isLlmError(error) && error.figures?.["bytes"] === 0) {
      const { message: detail, hint } = error;
      throw fault({ status: 422, code: "empty", detail, hint, retryable: false });
    }
    if (isLlmError(error) && error.status === 415) {
      const { message: detail, hint } = error;
      throw fault({ status: 415, code: "wrong-type", detail, hint, retryable: false });
    }
    throw error;
  }
}

async function readText(context: Context, limit: number) {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // Escapes can make JSON twice as long as its text.
  for await (const piece of bodyOf(context)) {
    bytes += piece.byteLength;
    if (bytes > 2 * limit) throw tooLarge("the text", limit);
    pieces.push(piece);
  }
  let value: unknown;
  try {
    value = JSON.parse(Buffer.concat(pieces).toString("utf8"));
  } catch (cause) {
    throw fault({
      status: 400,
      code: "invalid-json",
      detail: "The body of the request could not be read as JSON.",
      hint: "Check for a missing quote, a trailing comma or a cut-off body; or send the file itself.",
      retryable: false,
      cause,
    });
  }
  const parsed = DocumentTextSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const issues = parsed.error.issues.map((issue) => ({ path: issue.path.join("."), message: issue.message }));
  throw fault({
    status: 400,
    code: "invalid-request",
    detail: `The text cannot be taken: ${issues.map(({ path, message }) => `${path}: ${message}`).join("; ")}.`,
    hint: 'Send {"name": "notes.txt", "text": "…"}.',
    retryable: false,
    issues,
  });
}

function nameOf(context: Context, externalId: string | undefined): string {
  const { name = "" } = context.req.query();
  if (name.length > MAX_NAME) {
    throw fault({
      status: 400,
      code: "invalid-request",
      detail: `The document's name has ${name.length} characters, and may have ${MAX_NAME}.`,
      hint: "Give it a shorter one.",
      retryable: false,
    });
  }
  return basename((name.trim() || externalId || "document").replaceAll("\\", "/"));
}

export function presentAccepted(
  name: string,
  {
    documentId,
    jobId,
    status,
  }: { documentId: string; jobId: string | undefined; status: "queued" | "unchanged" },
): DocumentAccepted {
  return { documentId, status, name, ...(jobId === undefined ? {} : { jobId }) };
}

function tooLarge(name: string, limit: number): Error {
  return fault({
    status: 413,
    code: "too-large",
    detail: `"${shorten(name)}" is larger than ${Math.round(limit / 100_000) / 10} MB, the largest file that is taken.`,
    hint: "Split the document, or leave out its pictures, and add the parts.",
    retryable: false,
  });
}

function noFile() {
  return {
    status: 400,
    code: "invalid-request",
    detail: "The upload has no file.",
    hint: "Send it in the multipart field `file`.",
    retryable: false,
  };
}
