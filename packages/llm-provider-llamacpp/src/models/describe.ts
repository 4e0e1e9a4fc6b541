import type {
  Capability,
  ModelCapabilities,
  ModelDescription,
  ModelFile,
  ModelInfo,
  ModelTask,
} from "@enginehouse/llm-core";

import { estimateMemory, sum } from "./fit.ts";
import type { GgufHeader, GgufValue } from "./gguf.ts";
import type { ModelOnDisk } from "./model-file.ts";
import { nameQuantization } from "./quantization.ts";

/** What a model's list entry is made from. */
export interface Candidate {
  readonly id: string;
  readonly path: string;
  /** Where a package brings it: what that says of it. */
  readonly packaged: ModelFile | undefined;
}

/** Architectures that only embed. llama.cpp runs them without complaint as a chat model, and they write nothing. */
const ENCODERS: ReadonlySet<string> = new Set([
  "bert",
  "modern-bert",
  "nomic-bert",
  "nomic-bert-moe",
  "neo-bert",
  "jina-bert-v2",
  "jina-bert-v3",
  "eurobert",
  "gemma-embedding",
  "t5encoder",
]);
/** Parts of other models, in files of their own. */
const COMPANIONS: ReadonlyMap<string, string> = new Map([
  ["clip", "it is the image part of another model and cannot be used alone"],
  ["adapter", "it is an adapter for another model and cannot be used alone"],
  ["imatrix", "it is a table for quantizing and no model"],
]);

const POOLING_NONE = 0;
const POOLING_RANK = 4;

/** The window a memory estimate is for, unless the model's own is shorter. */
const ESTIMATED_WINDOW = 8_192;

export function infoOf({ id, packaged }: Candidate, file: ModelOnDisk): ModelInfo {
  const { metadata, tensors } = file.header;
  const family = text(metadata.get("general.architecture"));
  return {
    id,
    task: packaged?.task ?? taskOf(file.header),
    sizeBytes: file.sizeBytes,
    quantization: nameQuantization(metadata.get("general.file_type"), tensors),
    parameters: file.parameters,
    family,
    modifiedAt: file.modifiedAt,
    demonstration: packaged?.demonstration,
    note: packaged?.note,
    problem: companionProblem(file.header),
  };
}

/** A file that cannot be read is listed too, with what is wrong. */
export function brokenInfo(
  { id, packaged }: Candidate,
  problem: string,
  sizeBytes: number | undefined,
): ModelInfo {
  return {
    id,
    task: packaged?.task,
    sizeBytes,
    demonstration: packaged?.demonstration,
    note: packaged?.note,
    problem,
  };
}

export function descriptionOf(candidate: Candidate, file: ModelOnDisk): ModelDescription {
  const { packaged } = candidate;
  const { header } = file;
  const info = infoOf(candidate, file);
  const ask = (key: string): number | undefined => count(header.metadata.get(`${info.family ?? ""}.${key}`));
  const trained = ask("context_length");
  const embeds = info.task === "embedding";
  return {
    ...info,
    capabilities: capabilitiesOf(header, info.task, packaged !== undefined),
    contextWindow: trained ?? packaged?.contextWindow,
    dimensions: embeds
      ? (ask("embedding_length_out") ?? ask("embedding_length") ?? packaged?.dimensions)
      : undefined,
    // The engine takes one token less than the window holds.
    maxInputTokens: embeds && trained !== undefined ? trained - 1 : undefined,
    estimatedMemoryBytes: sum(estimateMemory(file, { contextSize: ESTIMATED_WINDOW, sequences: 1 })),
    license: text(header.metadata.get("general.license")) ?? packaged?.license,
  };
}

/** What the file's own header says the model is for. */
export function taskOf({ metadata, tensors }: GgufHeader): ModelTask | undefined {
  const architecture = text(metadata.get("general.architecture"));
  if (architecture === undefined || COMPANIONS.has(architecture)) return undefined;
  const pooling = count(metadata.get(`${architecture}.pooling_type`));
  if (pooling === POOLING_RANK || tensors.some(({ name }) => name.startsWith("cls."))) return "rerank";
  if (ENCODERS.has(architecture) || (pooling !== undefined && pooling !== POOLING_NONE)) return "embedding";
  if (metadata.get(`${architecture}.attention.causal`) === false) return "embedding";
  return "chat";
}

function companionProblem({ metadata }: GgufHeader): string | undefined {
  const type = text(metadata.get("general.type"));
  const architecture = text(metadata.get("general.architecture"));
  if (architecture === undefined && type === undefined)
    return "its header does not say what kind of model it is";
  return COMPANIONS.get(architecture ?? "") ?? COMPANIONS.get(type ?? "");
}

const NO: Capability = { value: "no", source: "reported" };
const YES: Capability = { value: "yes", source: "reported" };

function capabilitiesOf(
  { metadata }: GgufHeader,
  task: ModelTask | undefined,
  declared: boolean,
): ModelCapabilities {
  const source = declared ? "declared" : "reported";
  const is = (wanted: ModelTask): Capability =>
    task === undefined ? { value: "unknown" } : { value: task === wanted ? "yes" : "no", source };
  const chats = task === "chat";
  // What the template can write is what the model was taught to read.
  const template = templatesOf(metadata);
  const reported = (says: RegExp): Capability => {
    if (!chats) return NO;
    if (template === undefined) return { value: "unknown" };
    return says.test(template) ? YES : NO;
  };
  return {
    // Without a template it may be a model that only goes on writing.
    chat: chats && template === undefined && !declared ? { value: "unknown" } : is("chat"),
    embedding: is("embedding"),
    rerank: is("rerank"),
    tools: reported(/\btools\b|tool_call|function_call/),
    reasoning: reported(/<\/?think(?:ing)?>|\[THINK\]|reasoning_content|enable_thinking|<\|channel\|?>/),
    // A grammar holds every chat model to a schema; images do not go through this engine.
    jsonSchema: { value: chats ? "yes" : "no", source: "declared" },
    vision: { value: "no", source: "declared" },
  };
}

/** All chat templates of the header: some models keep the one for tools apart. */
function templatesOf(metadata: ReadonlyMap<string, GgufValue>): string | undefined {
  const templates = [...metadata].flatMap(([key, value]) =>
    key.startsWith("tokenizer.chat_template") && typeof value === "string" && value.trim() !== ""
      ? [value]
      : [],
  );
  return templates.length === 0 ? undefined : templates.join("\n");
}

function text(value: GgufValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

function count(value: GgufValue | undefined): number | undefined {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 0 ? value : undefined;
}
