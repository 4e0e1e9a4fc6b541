import type { ModelTask } from "@enginehouse/llm-core";

/** A model worth trying, by a reference that `pullModel` takes. */
export interface CatalogueEntry {
  readonly reference: string;
  readonly name: string;
  readonly task: ModelTask;
  /** About; the pull itself knows exactly. */
  readonly sizeBytes: number;
  readonly license: string;
  /** With a window of 8,192 tokens, or the model's own where that is shorter. */
  readonly minMemoryBytes: number;
  readonly contextWindow: number;
  /** What it is good for, in one sentence. */
  readonly note: string;
}

const MB = 1_000_000;

/** A few models for a start, from small to large. */
export function catalogue(): readonly CatalogueEntry[] {
  return ENTRIES;
}

const ENTRIES: readonly CatalogueEntry[] = [
  {
    reference: "hf:Qwen/Qwen2.5-0.5B-Instruct-GGUF/qwen2.5-0.5b-instruct-q4_k_m.gguf",
    name: "Qwen2.5 0.5B Instruct",
    task: "chat",
    sizeBytes: 491 * MB,
    license: "apache-2.0",
    minMemoryBytes: 1_000 * MB,
    contextWindow: 32_768,
    note: "Small and quick; answers simple questions about a text, in many languages.",
  },
  {
    reference: "hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF/qwen2.5-1.5b-instruct-q4_k_m.gguf",
    name: "Qwen2.5 1.5B Instruct",
    task: "chat",
    sizeBytes: 1_120 * MB,
    license: "apache-2.0",
    minMemoryBytes: 2_000 * MB,
    contextWindow: 32_768,
    note: "A good start on a laptop without a graphics card.",
  },
  {
    reference: "hf:HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF/smollm2-1.7b-instruct-q4_k_m.gguf",
    name: "SmolLM2 1.7B Instruct",
    task: "chat",
    sizeBytes: 1_060 * MB,
    license: "apache-2.0",
    minMemoryBytes: 3_500 * MB,
    contextWindow: 8_192,
    note: "English only; keeps to instructions well for its size.",
  },
  {
    reference: "hf:Qwen/Qwen3-4B-GGUF/Qwen3-4B-Q4_K_M.gguf",
    name: "Qwen3 4B",
    task: "chat",
    sizeBytes: 2_500 * MB,
    license: "apache-2.0",
    minMemoryBytes: 5_000 * MB,
    contextWindow: 40_960,
    note: "Thinks before it answers where it is asked to, and calls tools; wants 8 GB of memory.",
  },
  {
    reference: "hf:Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf",
    name: "Qwen3 8B",
    task: "chat",
    sizeBytes: 5_030 * MB,
    license: "apache-2.0",
    minMemoryBytes: 8_000 * MB,
    contextWindow: 40_960,
    note: "Clearly better answers; wants 16 GB of memory or a graphics card.",
  },
  {
    reference: "hf:nomic-ai/nomic-embed-text-v1.5-GGUF/nomic-embed-text-v1.5.Q8_0.gguf",
    name: "Nomic Embed Text v1.5",
    task: "embedding",
    sizeBytes: 146 * MB,
    license: "apache-2.0",
    minMemoryBytes: 700 * MB,
    contextWindow: 2_048,
    note: "Finds passages by meaning; English, 768 dimensions.",
  },
  {
    reference: "hf:Qwen/Qwen3-Embedding-0.6B-GGUF/Qwen3-Embedding-0.6B-Q8_0.gguf",
    name: "Qwen3 Embedding 0.6B",
    task: "embedding",
    sizeBytes: 639 * MB,
    license: "apache-2.0",
    minMemoryBytes: 1_500 * MB,
    contextWindow: 32_768,
    note: "Finds passages by meaning in many languages, 1,024 dimensions.",
  },
];
