import { MERGES, type Vocabulary } from "./vocabulary.ts";

/** The vocabulary as tokenizers of Hugging Face read it, in `tokenizer.json`. */
export function tokenizerJson({ tokens }: Vocabulary): unknown {
  const byteLevel = (prefix: boolean) => ({
    type: "ByteLevel",
    add_prefix_space: prefix,
    trim_offsets: true,
    use_regex: true,
  });
  const added = [...tokens.entries()].filter(([, { kind }]) => kind !== "normal");
  return {
    version: "1.0",
    truncation: null,
    padding: null,
    added_tokens: added.map(([id, { string, kind }]) => ({
      id,
      content: string,
      single_word: false,
      lstrip: false,
      rstrip: false,
      normalized: false,
      special: kind === "control",
    })),
    normalizer: null,
    pre_tokenizer: byteLevel(false),
    post_processor: null,
    decoder: byteLevel(true),
    model: {
      type: "BPE",
      dropout: null,
      unk_token: null,
      continuing_subword_prefix: "",
      end_of_word_suffix: "",
      fuse_unk: false,
      byte_fallback: false,
      vocab: Object.fromEntries([...tokens.entries()].map(([id, { string }]) => [string, id])),
      merges: MERGES.map((pair) => pair.join(" ")),
    },
  };
}
