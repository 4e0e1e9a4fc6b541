"""A tiny static text embedder: the vector of a text is the normalised mean of the vectors of its WordPiece tokens.

Distilled from a transformer (the teacher) and then trained. Four steps, each a module with a command line:

    python3 -m embedder.corpus   texts and (query, passage) pairs
    python3 -m embedder.teach    the teacher's vectors of texts and tokens
    python3 -m embedder.train    the token vectors
    python3 -m embedder.export   GGUF for llama.cpp, and a transformers.js folder
"""

DIMENSIONS = 256
CONTEXT = 512
"""In tokens: node-llama-cpp's usual batch. It pools the last batch only when a text is longer."""
TEACHER_DIMENSIONS = 384
TEACHER_CONTEXT = 256

SPECIAL = {
    "bos": "[CLS]",
    "cls": "[CLS]",
    "seperator": "[SEP]",  # as GGUF spells it
    "unknown": "[UNK]",
    "padding": "[PAD]",
    "mask": "[MASK]",
}
