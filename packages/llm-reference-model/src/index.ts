/** One of the models that this package carries. Its package.json says the same under `llmModels`, for discovery. */
export interface ReferenceModel {
  readonly id: string;
  readonly format: "gguf" | "onnx";
  readonly task: "chat" | "embedding";
  /** A file, or for `onnx` the folder that holds it and its tokenizer. */
  readonly url: URL;
}

/** The models, for those who want one without discovery. Reading the list reads no file. */
export const referenceModels: readonly ReferenceModel[] = [
  model("reference-model", "gguf", "chat", "chat/reference-model-q8_0.gguf"),
  model("reference-model-onnx", "onnx", "chat", "chat/reference-model-onnx"),
  model("reference-embedder", "gguf", "embedding", "embedder/reference-embedder-q8_0.gguf"),
  model("reference-embedder-onnx", "onnx", "embedding", "embedder/reference-embedder-onnx"),
];

function model(
  id: string,
  format: ReferenceModel["format"],
  task: ReferenceModel["task"],
  path: string,
): ReferenceModel {
  return { id, format, task, url: new URL(`../models/${path}`, import.meta.url) };
}
