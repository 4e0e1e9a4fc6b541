/**
 * Everything that crosses the wire: requests, responses and events, each as one zod schema.
 * The routes validate with them, /openapi.json is made from them, and the page imports their types.
 */
import { z } from "@hono/zod-openapi";

const id = z.string().min(1).max(200);
const count = z.number().int().nonnegative();
const time = z.iso.datetime().openapi({ description: "When, in UTC." });
const milliseconds = z.number().nonnegative();

// Problems (RFC 9457).

export const ProblemSchema = z
  .object({
    type: z.string().openapi({ example: "about:blank" }),
    title: z.string().openapi({ description: "The kind of problem, in a few words." }),
    status: z.number().int(),
    detail: z.string().openapi({ description: "What happened, and with whom." }),
    code: z.string().openapi({ description: "One word for programs.", example: "model-not-found" }),
    retryable: z.boolean().optional().openapi({ description: "Whether the same request may work later." }),
    hint: z.string().optional().openapi({ description: "What to do next." }),
    providerId: z.string().optional(),
    model: z.string().optional(),
    instance: z.string().optional(),
    retryAfterMs: milliseconds.optional(),
    issues: z
      .array(z.object({ path: z.string(), message: z.string() }))
      .optional()
      .openapi({ description: "What is wrong with which field of the request." }),
  })
  .openapi("Problem");
export type Problem = z.infer<typeof ProblemSchema>;

// Collections and documents.

export const CollectionSchema = z
  .object({
    id,
    name: z.string(),
    createdAt: time,
    documents: count,
    embedder: z
      .object({
        providerId: z.string(),
        model: z.string(),
        dimensions: count.optional(),
        demonstration: z.boolean().optional(),
      })
      .optional()
      .openapi({ description: "Who made the vectors. Absent: this collection is searched by words alone." }),
  })
  .openapi("Collection");
export type Collection = z.infer<typeof CollectionSchema>;
export const CollectionListSchema = z
  .object({ collections: z.array(CollectionSchema) })
  .openapi("CollectionList");
export type CollectionList = z.infer<typeof CollectionListSchema>;

export const CollectionCreateSchema = z
  .strictObject({
    id: z
      .string()
      .regex(/^[a-z0-9][a-z0-9-]{0,62}$/, "use up to 63 small letters, digits and hyphens")
      .optional(),
    name: z.string().trim().min(1).max(200),
  })
  .openapi("CollectionCreate");
export type CollectionCreate = z.infer<typeof CollectionCreateSchema>;
export const CollectionPatchSchema = z
  .strictObject({ name: z.string().trim().min(1).max(200) })
  .openapi("CollectionPatch");
export type CollectionPatch = z.infer<typeof CollectionPatchSchema>;

export const DocumentStatusSchema = z.enum(["queued", "processing", "ready", "failed"]);
export type DocumentStatus = z.infer<typeof DocumentStatusSchema>;

export const DocumentSchema = z
  .object({
    id,
    collectionId: id,
    externalId: z.string().optional(),
    versionId: z
      .string()
      .optional()
      .openapi({ description: "The version that is searched. Absent until one is whole." }),
    name: z.string().openapi({ description: "The file's name, for people." }),
    title: z.string(),
    mediaType: z.string().optional().openapi({ description: "Known once it was read." }),
    bytes: count.optional(),
    characters: count.optional(),
    pages: count.optional(),
    chunks: count.optional(),
    status: DocumentStatusSchema,
    error: ProblemSchema.optional(),
    warnings: z
      .array(z.string())
      .optional()
      .openapi({ description: "What could not be read, in sentences." }),
    jobId: z.string().optional().openapi({ description: "The latest job on this document." }),
    stage: z.string().optional().openapi({ description: "What that job is doing, while it runs." }),
    progress: z
      .object({ done: z.number(), total: z.number().optional() })
      .optional()
      .openapi({ description: "How far that stage is, while it runs." }),
    createdAt: time,
    updatedAt: time,
  })
  .openapi("Document");
export type Document = z.infer<typeof DocumentSchema>;
export const DocumentListSchema = z
  .object({ documents: z.array(DocumentSchema), total: count, offset: count, limit: count })
  .openapi("DocumentList");
export type DocumentList = z.infer<typeof DocumentListSchema>;

export const DocumentTextSchema = z
  .strictObject({
    text: z.string(),
    name: z.string().trim().min(1).max(500),
    mediaType: z.string().max(200).optional(),
  })
  .openapi("DocumentText");
export type DocumentText = z.infer<typeof DocumentTextSchema>;

export const DocumentAcceptedSchema = z
  .object({
    documentId: id,
    jobId: z.string().optional().openapi({ description: "Absent when nothing has to be done." }),
    status: z.enum(["queued", "unchanged"]),
    name: z.string(),
  })
  .openapi("DocumentAccepted");
export type DocumentAccepted = z.infer<typeof DocumentAcceptedSchema>;
/** One file: its fields stand at the top, too. Several files of one upload: each in `documents`. */
export const DocumentsAcceptedSchema = DocumentAcceptedSchema.extend({
  documents: z.array(DocumentAcceptedSchema),
  refused: z
    .array(z.object({ name: z.string(), problem: ProblemSchema }))
    .openapi({ description: "Files of the same upload that could not be taken, each with its reason." }),
}).openapi("DocumentsAccepted");
export type DocumentsAccepted = z.infer<typeof DocumentsAcceptedSchema>;

export const DocumentContentSchema = z
  .object({
    documentId: id,
    versionId: id,
    title: z.string(),
    mediaType: z.string(),
    text: z.string().openapi({ description: "The extracted text. All offsets are UTF-16 indexes into it." }),
    pages: z.array(z.object({ page: count, charStart: count, charEnd: count })),
  })
  .openapi("DocumentContent");
export type DocumentContent = z.infer<typeof DocumentContentSchema>;

export const ChunkSchema = z
  .object({
    id,
    index: count,
    text: z.string(),
    charStart: count,
    charEnd: count,
    page: count.optional(),
    headingPath: z.array(z.string()),
  })
  .openapi("Chunk");
export type Chunk = z.infer<typeof ChunkSchema>;
export const ChunkListSchema = z
  .object({
    documentId: id,
    versionId: id,
    chunks: z.array(ChunkSchema),
    total: count,
    offset: count,
    limit: count,
  })
  .openapi("ChunkList");
export type ChunkList = z.infer<typeof ChunkListSchema>;

export const DeletedSchema = z.object({ deleted: count, ids: z.array(z.string()) }).openapi("Deleted");
export type Deleted = z.infer<typeof DeletedSchema>;

export const SourceCreateSchema = z
  .strictObject({
    path: z
      .string()
      .min(1)
      .max(4_096)
      .openapi({ description: "A folder of this computer, as an absolute path." }),
    include: z
      .array(z.string().max(500))
      .max(100)
      .optional()
      .openapi({ example: ["**/*.md", "**/*.pdf"] }),
    exclude: z.array(z.string().max(500)).max(100).optional(),
    watch: z.boolean().optional().openapi({ description: "Not yet supported: true is refused." }),
  })
  .openapi("SourceCreate");
export type SourceCreate = z.infer<typeof SourceCreateSchema>;
export const SourceAcceptedSchema = z
  .object({
    path: z.string(),
    documents: z.array(DocumentAcceptedSchema),
    refused: z.array(z.object({ name: z.string(), problem: ProblemSchema })),
  })
  .openapi("SourceAccepted");
export type SourceAccepted = z.infer<typeof SourceAcceptedSchema>;

export const ExampleSchema = z
  .object({
    id,
    title: z.string(),
    description: z.string(),
    mediaType: z.string(),
    bytes: count,
    questions: z.array(z.string()).openapi({ description: "Questions that this document answers." }),
    documentId: z.string().optional().openapi({ description: "Present once it was added." }),
  })
  .openapi("Example");
export type Example = z.infer<typeof ExampleSchema>;
export const ExampleListSchema = z.object({ examples: z.array(ExampleSchema) }).openapi("ExampleList");
export type ExampleList = z.infer<typeof ExampleListSchema>;
export const ExamplesAddSchema = z
  .strictObject({
    ids: z.array(id).max(100).optional().openapi({ description: "Absent: all of them." }),
    collectionId: id.optional(),
  })
  .openapi("ExamplesAdd");
export type ExamplesAdd = z.infer<typeof ExamplesAddSchema>;

// Jobs.

export const JobStatusSchema = z.enum(["queued", "running", "completed", "failed", "cancelled"]);
export type JobStatus = z.infer<typeof JobStatusSchema>;
export const JobSchema = z
  .object({
    id,
    kind: z.enum(["ingest", "index", "download"]).openapi({
      description:
        "`ingest` takes in a document, `index` computes missing vectors, `download` fetches a model.",
    }),
    status: JobStatusSchema,
    stage: z.string().openapi({ example: "extracting", description: "What it is doing now, in one word." }),
    done: z.number().nonnegative(),
    total: z.number().nonnegative().optional().openapi({ description: "Absent while it is not known." }),
    unit: z.enum(["pages", "chunks", "bytes", "steps"]).optional(),
    title: z.string().openapi({ description: "The document or model it works on." }),
    documentId: z.string().optional(),
    collectionId: z.string().optional(),
    providerId: z.string().optional(),
    model: z.string().optional(),
    error: ProblemSchema.optional(),
    createdAt: time,
    updatedAt: time,
  })
  .openapi("Job");
export type Job = z.infer<typeof JobSchema>;
export const JobListSchema = z.object({ jobs: z.array(JobSchema) }).openapi("JobList");
export type JobList = z.infer<typeof JobListSchema>;

/** `event:` is the type; each carries the whole job, so that a late listener needs no history. */
export const JobEventSchema = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("job.progress"),
      stage: z.string(),
      done: z.number(),
      total: z.number().optional(),
      job: JobSchema,
    }),
    z.object({ type: z.literal("job.completed"), job: JobSchema }),
    z.object({ type: z.literal("job.failed"), job: JobSchema, error: ProblemSchema }),
    z.object({ type: z.literal("job.cancelled"), job: JobSchema }),
  ])
  .openapi("JobEvent");
export type JobEvent = z.infer<typeof JobEventSchema>;

// Search.

export const RetrievalModeSchema = z.enum(["hybrid", "dense", "lexical"]);
export type RetrievalMode = z.infer<typeof RetrievalModeSchema>;

export const ScoreSchema = z
  .object({
    fused: z.number(),
    lexical: z.number().optional(),
    dense: z.number().optional(),
    rerank: z.number().optional(),
  })
  .openapi("Score");
export type Score = z.infer<typeof ScoreSchema>;

export const HitSchema = z
  .object({
    chunkId: id,
    documentId: id,
    versionId: id,
    collectionId: id,
    name: z.string().openapi({ description: "The file's name." }),
    title: z.string(),
    text: z.string(),
    page: count.optional(),
    charStart: count,
    charEnd: count,
    headingPath: z.array(z.string()),
    score: ScoreSchema,
  })
  .openapi("Hit");
export type Hit = z.infer<typeof HitSchema>;

export const FilterSchema = z
  .strictObject({
    documentIds: z.array(id).max(1_000).optional(),
  })
  .openapi("Filter");
export type Filter = z.infer<typeof FilterSchema>;

/** Bounds, named so that a refusal can say the figure. */
export const MAX_QUESTION_CHARACTERS = 8_000;
const question = z
  .string()
  .trim()
  .min(1, "write a question")
  .max(
    MAX_QUESTION_CHARACTERS,
    `at most ${MAX_QUESTION_CHARACTERS} characters; add longer text as a document`,
  );

export const SearchRequestSchema = z
  .strictObject({
    query: question,
    collectionIds: z.array(id).max(100).optional().openapi({ description: "Absent: all." }),
    mode: RetrievalModeSchema.optional(),
    topK: z.number().int().min(1).max(100).optional(),
    minScore: z.number().optional(),
    filter: FilterSchema.optional(),
    rerank: z.boolean().optional().openapi({ description: "Not yet supported: true is refused." }),
  })
  .openapi("SearchRequest");
export type SearchRequest = z.infer<typeof SearchRequestSchema>;
export const SearchResponseSchema = z
  .object({
    hits: z.array(HitSchema),
    mode: RetrievalModeSchema.openapi({
      description: "What was done: `lexical` when there are no vectors yet.",
    }),
    coverage: z
      .number()
      .openapi({ description: "How much of the question the best passage has in words, 0 to 1." }),
    warnings: z.array(z.string()),
    timings: z.object({ totalMs: milliseconds }),
  })
  .openapi("SearchResponse");
export type SearchResponse = z.infer<typeof SearchResponseSchema>;

// Answers.

export const CitationSchema = z
  .object({
    n: z.number().int().positive().openapi({
      description:
        "The number of the source. Several citations may share it: other sentences of one passage.",
    }),
    documentId: id,
    versionId: id,
    collectionId: id,
    name: z.string().openapi({ description: "The file's name." }),
    title: z.string(),
    chunkId: id,
    page: count.optional(),
    charStart: count.openapi({ description: "Where the quote is in the document's extracted text." }),
    charEnd: count,
    quote: z.string().openapi({ description: "Verbatim from the document." }),
    score: ScoreSchema,
    headingPath: z.array(z.string()),
    answerStart: count.optional().openapi({ description: "Where in the answer the supported sentence is." }),
    answerEnd: count.optional(),
  })
  .openapi("Citation");
export type Citation = z.infer<typeof CitationSchema>;

export const AnswerModeSchema = z.enum(["auto", "generate", "quote"]);
export type AnswerMode = z.infer<typeof AnswerModeSchema>;

export const AnswerRequestSchema = z
  .strictObject({
    question,
    conversationId: id.optional(),
    collectionIds: z.array(id).max(100).optional().openapi({ description: "Absent: all." }),
    mode: AnswerModeSchema.optional().openapi({ description: "Default `auto`." }),
    model: z
      .string()
      .min(1)
      .max(500)
      .optional()
      .openapi({ description: "`provider/model`; absent: the chosen order." }),
    fallbacks: z.array(z.string().min(1).max(500)).max(20).optional(),
    retrieval: z
      .strictObject({
        mode: RetrievalModeSchema.optional(),
        topK: z.number().int().min(1).max(50).optional(),
        minScore: z.number().optional(),
        filter: FilterSchema.optional(),
      })
      .optional(),
    stream: z.boolean().optional().openapi({ description: "Default true: server-sent events." }),
    detach: z.boolean().optional().openapi({
      description: "Default false: the run is cancelled when its last listener leaves. True: it goes on.",
    }),
    maxTokens: z.number().int().min(1).max(100_000).optional(),
    temperature: z.number().min(0).max(2).optional(),
    seed: z.number().int().nonnegative().optional(),
  })
  .openapi("AnswerRequest");
export type AnswerRequest = z.infer<typeof AnswerRequestSchema>;

export const ModelChoiceSchema = z
  .object({
    providerId: z.string(),
    model: z.string(),
    ref: z.string().openapi({ description: "`provider/model`." }),
    demonstration: z.boolean().openapi({ description: "A toy that shows how it works and knows nothing." }),
  })
  .openapi("ModelChoice");
export type ModelChoice = z.infer<typeof ModelChoiceSchema>;

export const SentenceSchema = z
  .object({
    start: count,
    end: count,
    supported: z.boolean().optional().openapi({
      description: "Absent: it says nothing that could be checked (a heading, a lead-in, code).",
    }),
    citations: z
      .array(z.number().int().positive())
      .openapi({ description: "Numbers of the sources that support it." }),
    markers: z
      .array(
        z.object({
          start: count,
          end: count,
          n: z.number().int(),
          verdict: z.enum(["kept", "moved", "dropped"]),
          to: z.number().int().optional(),
        }),
      )
      .openapi({ description: "The `[n]` that the model wrote itself, with what became of each." }),
  })
  .openapi("Sentence");
export type Sentence = z.infer<typeof SentenceSchema>;

export const UsageSchema = z
  .object({
    inputTokens: count.optional(),
    outputTokens: count.optional(),
    totalTokens: count.optional(),
    cachedInputTokens: count.optional(),
  })
  .openapi("Usage");
export type Usage = z.infer<typeof UsageSchema>;

export const ContextBudgetSchema = z
  .object({
    window: count.optional().openapi({ description: "The model's window in tokens; absent: not known." }),
    used: count.openapi({ description: "Tokens of the prompt." }),
    reserved: count.openapi({ description: "Tokens kept free for the answer." }),
    counted: z
      .enum(["model", "estimate"])
      .openapi({ description: "Counted by the model's tokenizer, or estimated." }),
    sources: z
      .array(
        z.object({
          n: z.number().int().positive(),
          chunkId: id,
          documentId: id,
          title: z.string(),
          page: count.optional(),
          form: z.enum(["parent", "window", "sentences"]),
          tokens: count.optional(),
        }),
      )
      .openapi({ description: "What the model was given, in the order of its numbers." }),
    dropped: z
      .array(z.object({ chunkId: id, documentId: id, title: z.string(), reason: z.string() }))
      .openapi({ description: "What was found but did not fit." }),
    droppedTurns: count.openapi({ description: "Earlier turns of the conversation that did not fit." }),
    messages: z
      .array(z.object({ role: z.string(), text: z.string() }))
      .openapi({ description: "The prompt that was really sent." }),
  })
  .openapi("ContextBudget");
export type ContextBudget = z.infer<typeof ContextBudgetSchema>;

export const AttemptSchema = z
  .object({
    attempt: z.number().int().positive(),
    providerId: z.string(),
    model: z.string(),
    demonstration: z.boolean(),
    status: z.enum(["running", "answered", "failed", "cancelled"]),
    durationMs: milliseconds.optional(),
    error: ProblemSchema.optional(),
  })
  .openapi("Attempt");
export type Attempt = z.infer<typeof AttemptSchema>;

/** What the reader must know before the answer itself. */
export const NoticeSchema = z
  .object({
    code: z.enum([
      "not-in-documents",
      "no-documents",
      "still-indexing",
      "no-model",
      "models-failed",
      "answer-cut",
      "warning",
    ]),
    message: z.string(),
    hint: z.string().optional(),
  })
  .openapi("Notice");
export type Notice = z.infer<typeof NoticeSchema>;

export const TimingsSchema = z
  .object({
    retrievalMs: milliseconds.optional(),
    timeToFirstTokenMs: milliseconds.optional(),
    totalMs: milliseconds.optional(),
    tokensPerSecond: z.number().nonnegative().optional(),
  })
  .openapi("Timings");
export type Timings = z.infer<typeof TimingsSchema>;

export const RunStatusSchema = z.enum(["running", "completed", "failed", "cancelled"]);
export type RunStatus = z.infer<typeof RunStatusSchema>;

/** One question with all that came of it: the JSON answer, and what a reload reads. */
export const RunSchema = z
  .object({
    runId: id,
    status: RunStatusSchema,
    question: z.string(),
    requestedMode: AnswerModeSchema,
    mode: z.enum(["generate", "quote"]).openapi({ description: "How it was answered in the end." }),
    conversationId: z.string(),
    collectionIds: z.array(z.string()).optional(),
    answer: z.string(),
    reasoning: z.string().optional(),
    notices: z.array(NoticeSchema),
    citations: z.array(CitationSchema),
    quotes: z
      .array(CitationSchema)
      .openapi({ description: "The best sentences of the documents, whatever the mode." }),
    sentences: z.array(SentenceSchema),
    supportedShare: z.number().min(0).max(1).optional(),
    hits: z.array(HitSchema),
    retrievalMode: RetrievalModeSchema.optional(),
    model: ModelChoiceSchema.optional().openapi({
      description: "Who wrote it. Absent: nobody did, it is quoted.",
    }),
    finishReason: z.string().optional(),
    usage: UsageSchema.optional(),
    timings: TimingsSchema,
    attempts: z.array(AttemptSchema),
    context: ContextBudgetSchema.optional(),
    error: ProblemSchema.optional(),
    createdAt: time,
    finishedAt: time.optional(),
    lastEventId: count,
  })
  .openapi("Run");
export type Run = z.infer<typeof RunSchema>;
export const RunListSchema = z.object({ runs: z.array(RunSchema) }).openapi("RunList");
export type RunList = z.infer<typeof RunListSchema>;

/** `event:` is the type, `id:` the number within the run, from 1. */
export const RunEventSchema = z
  .discriminatedUnion("type", [
    z.object({
      type: z.literal("run.started"),
      runId: id,
      question: z.string(),
      requestedMode: AnswerModeSchema,
      conversationId: z.string(),
      createdAt: time,
    }),
    z.object({ type: z.literal("query.rewritten"), query: z.string() }),
    z.object({
      type: z.literal("retrieval.completed"),
      hits: z.array(HitSchema),
      quotes: z.array(CitationSchema),
      mode: RetrievalModeSchema,
      coverage: z.number(),
      warnings: z.array(z.string()),
      retrievalMs: milliseconds,
    }),
    z.object({ type: z.literal("notice"), notice: NoticeSchema }),
    z.object({ type: z.literal("context.budget"), context: ContextBudgetSchema }),
    z.object({
      type: z.literal("attempt.started"),
      attempt: z.number().int().positive(),
      providerId: z.string(),
      model: z.string(),
      demonstration: z.boolean(),
    }),
    z.object({
      type: z.literal("attempt.status"),
      attempt: z.number().int().positive(),
      state: z.enum(["queued", "loading", "prefill"]),
      progress: z.number().min(0).max(1).optional(),
    }),
    z.object({
      type: z.literal("attempt.failed"),
      attempt: z.number().int().positive(),
      providerId: z.string(),
      model: z.string(),
      error: ProblemSchema,
    }),
    z.object({ type: z.literal("reasoning.delta"), text: z.string() }),
    z.object({ type: z.literal("text.delta"), text: z.string() }),
    SentenceSchema.extend({ type: z.literal("sentence") }),
    z.object({ type: z.literal("citation"), citation: CitationSchema }),
    z.object({ type: z.literal("usage"), usage: UsageSchema }),
    z.object({
      type: z.literal("metrics"),
      providerId: z.string(),
      model: z.string(),
      demonstration: z.boolean(),
      timings: TimingsSchema,
    }),
    z.object({ type: z.literal("run.completed"), run: RunSchema }),
    z.object({ type: z.literal("run.error"), error: ProblemSchema, run: RunSchema }),
    z.object({ type: z.literal("run.cancelled"), run: RunSchema }),
  ])
  .openapi("RunEvent");
export type RunEvent = z.infer<typeof RunEventSchema>;

// Providers, models, settings.

export const DiagnosticSchema = z
  .object({
    package: z.string(),
    providerId: z.string().optional(),
    status: z.enum(["used", "ignored", "refused", "failed"]),
    code: z.string().optional(),
    message: z.string(),
    hint: z.string().optional(),
  })
  .openapi("Diagnostic");
export type Diagnostic = z.infer<typeof DiagnosticSchema>;

export const HealthSchema = z
  .object({
    status: z.enum(["ok", "degraded", "down", "unknown"]),
    version: z.string().optional(),
    message: z.string().optional(),
    hint: z.string().optional(),
    checkedAt: time,
  })
  .openapi("Health");
export type Health = z.infer<typeof HealthSchema>;

export const ProviderSchema = z
  .object({
    id,
    package: z.string().optional(),
    packageVersion: z.string().optional(),
    operations: z.array(z.string()),
    features: z.array(z.string()),
    modelFormats: z.array(z.string()),
    health: HealthSchema,
  })
  .openapi("Provider");
export type Provider = z.infer<typeof ProviderSchema>;
export const ProviderListSchema = z
  .object({ providers: z.array(ProviderSchema), diagnostics: z.array(DiagnosticSchema) })
  .openapi("ProviderList");
export type ProviderList = z.infer<typeof ProviderListSchema>;

export const ModelSchema = z
  .object({
    ref: z.string().openapi({ description: "`provider/model`: what requests name." }),
    providerId: z.string(),
    model: z.string(),
    name: z.string().openapi({ description: "For people." }),
    task: z.enum(["chat", "embedding", "rerank", "unknown"]),
    installed: z.boolean(),
    loaded: z.boolean().optional(),
    demonstration: z.boolean(),
    bytes: count.optional(),
    contextWindow: count.optional(),
    quantization: z.string().optional(),
    dimensions: count.optional(),
    license: z.string().optional(),
    note: z.string().optional(),
    problem: z.string().optional().openapi({ description: "Why it cannot be used as it is." }),
  })
  .openapi("Model");
export type Model = z.infer<typeof ModelSchema>;

export const CatalogueEntrySchema = z
  .object({
    model: z.string().openapi({ description: "What `POST /api/models/download` takes." }),
    backend: z.string().openapi({ description: "The provider that can fetch and run it." }),
    name: z.string(),
    task: z.enum(["chat", "embedding", "rerank"]),
    bytes: count,
    contextWindow: count.optional(),
    license: z.string(),
    note: z.string(),
    installed: z.boolean(),
    ref: z.string().optional().openapi({ description: "Present once installed." }),
    recommended: z.boolean().optional(),
  })
  .openapi("CatalogueEntry");
export type CatalogueEntry = z.infer<typeof CatalogueEntrySchema>;

export const ActiveSettingsSchema = z
  .object({
    model: z.string().optional().openapi({ description: "The model chosen by hand, tried first." }),
    order: z.array(z.string()).openapi({ description: "Further targets, in the order they are tried." }),
    resolved: z
      .array(ModelChoiceSchema)
      .openapi({ description: "What will really be tried, in this order." }),
    embedder: ModelChoiceSchema.optional(),
  })
  .openapi("ActiveSettings");
export type ActiveSettings = z.infer<typeof ActiveSettingsSchema>;
export const ActiveSettingsPutSchema = z
  .strictObject({
    model: z
      .string()
      .min(1)
      .max(500)
      .nullable()
      .optional()
      .openapi({ description: "null: choose by itself." }),
    order: z.array(z.string().min(1).max(500)).max(20).optional(),
  })
  .openapi("ActiveSettingsPut");
export type ActiveSettingsPut = z.infer<typeof ActiveSettingsPutSchema>;

export const ModelListSchema = z
  .object({
    models: z.array(ModelSchema),
    catalogue: z.array(CatalogueEntrySchema).openapi({ description: "Real models one click away." }),
    active: ModelChoiceSchema.optional().openapi({ description: "Who answers the next question." }),
    modelsFolder: z.string().openapi({ description: "Model files dropped here are found." }),
    problems: z
      .array(ProblemSchema)
      .openapi({ description: "Providers whose models could not be listed, and why." }),
  })
  .openapi("ModelList");
export type ModelList = z.infer<typeof ModelListSchema>;

export const ModelsAvailableSchema = z
  .object({
    backends: z.array(
      z.object({
        backend: z.string(),
        info: z.object({
          package: z.string().optional(),
          operations: z.array(z.string()),
          health: HealthSchema,
        }),
        models: z.array(CatalogueEntrySchema),
        installed: z.array(ModelSchema),
        problem: ProblemSchema.optional(),
      }),
    ),
  })
  .openapi("ModelsAvailable");
export type ModelsAvailable = z.infer<typeof ModelsAvailableSchema>;

export const ModelDownloadSchema = z
  .strictObject({
    model: z.string().min(1).max(1_000),
    backend: z.string().min(1).max(200).optional(),
  })
  .openapi("ModelDownload");
export type ModelDownload = z.infer<typeof ModelDownloadSchema>;
export const JobAcceptedSchema = z.object({ jobId: id, status: z.literal("queued") }).openapi("JobAccepted");
export type JobAccepted = z.infer<typeof JobAcceptedSchema>;

export const ModelRefSchema = z.strictObject({ ref: z.string().min(1).max(1_000) }).openapi("ModelRef");
export type ModelRef = z.infer<typeof ModelRefSchema>;
export const ModelLoadedSchema = z
  .object({
    ref: z.string(),
    loaded: z.boolean(),
    contextWindow: count.optional(),
    memoryBytes: count.optional(),
  })
  .openapi("ModelLoaded");
export type ModelLoaded = z.infer<typeof ModelLoadedSchema>;

// Operations.

export const LiveSchema = z.object({ status: z.literal("ok"), version: z.string() }).openapi("Live");
export type Live = z.infer<typeof LiveSchema>;
export const ReadySchema = z
  .object({
    status: z.enum(["ready", "starting"]),
    store: z.boolean(),
    chat: z.boolean(),
    embedder: z.boolean(),
    notes: z.array(z.string()),
  })
  .openapi("Ready");
export type Ready = z.infer<typeof ReadySchema>;
