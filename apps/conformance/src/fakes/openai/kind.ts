/** Who speaks the protocol: the servers differ in first and last pieces, in fields of their own and in errors. */
export type OpenaiKind = "openai" | "llama-server" | "ollama";
