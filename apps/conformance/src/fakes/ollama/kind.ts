/** What a server's answers depend on. */
export interface OllamaKind {
  readonly generation: "new" | "0.13";
  /** Who renders the prompt: Ollama by a template of its own, or the engine by the one in the model's file. */
  readonly path: "template" | "native";
}
