"""Step 2: the teacher's vectors, of every token of its vocabulary and of every text.

The teacher is a folder for transformers.js: tokenizer.json and onnx/model_quantized.onnx.
"""

from __future__ import annotations

import argparse
import json
import os

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from . import TEACHER_CONTEXT, TEACHER_DIMENSIONS

TOKENS_AT_ONCE = 2048


def load_tokenizer(folder: str, limit: int) -> Tokenizer:
    """Texts are cut after `limit` tokens, and never padded."""
    tokenizer = Tokenizer.from_file(os.path.join(folder, "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.enable_truncation(limit)
    return tokenizer


def embed(session: onnxruntime.InferenceSession, texts: list[list[int]]) -> np.ndarray:
    """The normalised mean of the last hidden states of each list of ids: float16 [texts, TEACHER_DIMENSIONS].

    Batches of equal length need no padding.
    """
    order = sorted(range(len(texts)), key=lambda index: len(texts[index]))
    vectors = np.zeros((len(texts), TEACHER_DIMENSIONS), np.float16)
    start = 0
    while start < len(order):
        length, end = len(texts[order[start]]), start
        budget = max(TOKENS_AT_ONCE, length)
        while end < len(order) and len(texts[order[end]]) == length and (end - start + 1) * length <= budget:
            end += 1
        ids = np.array([texts[index] for index in order[start:end]], np.int64)
        inputs = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        mean = session.run(None, inputs)[0].mean(1)
        vectors[order[start:end]] = mean / np.linalg.norm(mean, axis=1, keepdims=True)
        start = end
    return vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", help="folder of the teacher")
    parser.add_argument("data", help="folder with texts.json; teach.npz is written into it")
    options = parser.parse_args()
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = 2
    model = os.path.join(options.teacher, "onnx", "model_quantized.onnx")
    session = onnxruntime.InferenceSession(model, settings, ["CPUExecutionProvider"])
    tokenizer = load_tokenizer(options.teacher, TEACHER_CONTEXT)
    with open(os.path.join(options.data, "texts.json")) as file:
        texts = [text for _, text in json.load(file)["texts"]]
    first, last = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokens = embed(session, [[first, token, last] for token in range(tokenizer.get_vocab_size())])
    vectors = embed(session, [encoded.ids for encoded in tokenizer.encode_batch(texts)])
    np.savez(os.path.join(options.data, "teach.npz"), tokens=tokens, texts=vectors)


if __name__ == "__main__":
    main()
