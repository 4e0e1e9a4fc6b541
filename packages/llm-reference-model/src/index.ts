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
  {
    id: "reference-model",
    format: "gguf",
    task: "chat",
    url: new URL("../models/chat/reference-model-q8_0.gguf", import.meta.url),
  },
  {
    id: "reference-model-onnx",
    format: "onnx",
    task: "chat",
    url: new URL("../models/chat/reference-model-onnx", import.meta.url),
  },
  {
    id: "reference-embedder",
    format: "gguf",
    task: "embedding",
    url: new URL("../models/embedder/reference-embedder-q8_0.gguf", import.meta.url),
  },
  {
    id: "reference-embedder-onnx",
    format: "onnx",
    task: "embedding",
    url: new URL("../models/embedder/reference-embedder-onnx", import.meta.url),
  },
];
