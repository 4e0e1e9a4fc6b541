"""Step 4: the table of token vectors to GGUF (llama.cpp, architecture "bert") and to a transformers.js folder.

n = DIMENSIONS; the table is [tokens, n - 2].
"""

from __future__ import annotations

import argparse
import json
import os
import unicodedata
from typing import Any

import numpy as np

import gguf
from gguf import BOOL, F32, I32, STRING, TENSOR_F32, TENSOR_Q8_0, U32, Metadata, Tensor
from onnx_graph import FLOAT, INT64, Graph

from . import CONTEXT, DIMENSIONS, SPECIAL

WORD_START = "\u2581"
NORMAL, CONTROL, UNUSED = 1, 3, 5
SPECIAL_TOKENS = set(SPECIAL.values())
SIGN_TRIALS = 200


def is_foreign(token: str) -> bool:
    """Letters of other scripts: the model knows English only."""
    letters = token[2:] if token.startswith("##") and len(token) > 2 else token
    for character in letters:
        if ord(character) > 127 and unicodedata.category(character)[0] in "LM":
            if not unicodedata.name(character, "").startswith(("LATIN", "GREEK")):
                return True
    return False


def is_kept(token: str, count: int) -> bool:
    if token in SPECIAL_TOKENS:
        return True
    if token.startswith("[unused") or is_foreign(token):
        return False
    return count > 1 or len(token.removeprefix("##")) == 1


def tokenizer_metadata(tokens: list[str]) -> list[Metadata]:
    """As llama.cpp has WordPiece: words carry a mark at their start, continuations lose their ##."""
    kinds, strings = [], []
    for token in tokens:
        kind = CONTROL if token in SPECIAL_TOKENS else UNUSED if token.startswith("[unused") else NORMAL
        kinds.append(kind)
        if kind == CONTROL:
            strings.append(token)
        elif token.startswith("##") and len(token) > 2:
            strings.append(token[2:])
        else:
            strings.append(WORD_START + token)
    return [
        ("tokenizer.ggml.model", STRING, "bert"),
        ("tokenizer.ggml.pre", STRING, "default"),
        ("tokenizer.ggml.token_type_count", U32, 2),
        ("tokenizer.ggml.tokens", [STRING], strings),
        ("tokenizer.ggml.token_type", [I32], kinds),
        ("tokenizer.ggml.add_bos_token", BOOL, True),
        ("tokenizer.ggml.add_sep_token", BOOL, True),
        *((f"tokenizer.ggml.{name}_token_id", U32, tokens.index(token)) for name, token in SPECIAL.items()),
    ]


def model_metadata(config: dict[str, Any]) -> list[Metadata]:
    return [
        ("general.architecture", STRING, "bert"),
        ("general.type", STRING, "model"),
        ("general.name", STRING, "reference-embedder"),
        ("general.license", STRING, "apache-2.0"),
        ("general.file_type", U32, 7),
        ("general.quantization_version", U32, 2),
        ("bert.block_count", U32, config["num_hidden_layers"]),
        ("bert.context_length", U32, config["max_position_embeddings"]),
        ("bert.embedding_length", U32, config["hidden_size"]),
        ("bert.feed_forward_length", U32, config["intermediate_size"]),
        ("bert.attention.head_count", U32, config["num_attention_heads"]),
        ("bert.attention.layer_norm_epsilon", F32, config["layer_norm_eps"]),
        ("bert.attention.causal", BOOL, False),
        ("bert.pooling_type", U32, 1),
    ]


def with_ballast(table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rows that a LayerNorm only scales, and the gain that undoes that: [tokens, n] and [n].

    Two ballast values p and q fill up each row u, so that all have mean 0 and the same length:
    p + q = -sum(u), p^2 + q^2 = radius^2 - |u|^2. Q8_0 has one scale for 32 values, so the 30 values beside the ballast
    are stored 4 times as large; signs that keep the sums, and with them the radius, small are drawn at random.
    """
    random = np.random.default_rng(0)
    n = DIMENSIONS
    size = np.r_[np.ones(n - 32), np.full(30, 4)]
    squares = ((table * size) ** 2).sum(1)

    def largest(signs: np.ndarray) -> float:
        return (squares + (table @ (signs * size)) ** 2 / 2).max()

    factors = size * min((random.choice([-1, 1], n - 2) for _ in range(SIGN_TRIALS)), key=largest)
    sums = table @ factors
    radius_squared = (squares + sums * sums / 2).max() * 1.001
    root = np.sqrt(2 * (radius_squared - squares) - sums * sums)
    ballast = [((-sums + root) / 2)[:, None], ((-sums - root) / 2)[:, None]]
    gain = np.r_[np.sqrt(radius_squared / n) / factors, 0, 0]
    return np.concatenate([table * factors, *ballast], 1), gain


def write_gguf(path: str, table: np.ndarray, tokens: list[str], config: dict[str, Any]) -> int:
    """The smallest BERT that returns its token vectors.

    llama.cpp wants one block at least, and puts three LayerNorms in the way. Attention and feed-forward weights are 0,
    the rows are such that the norms only scale them, and the gain of the last one removes scale and ballast.
    """
    n, inner = config["hidden_size"], config["intermediate_size"]
    rows, gain = with_ballast(table)

    def zeros(*shape: int) -> np.ndarray:
        return np.zeros(shape, np.float32)

    ones = np.ones(n, np.float32)
    tensors: list[Tensor] = [
        ("token_embd.weight", rows, TENSOR_Q8_0),
        ("position_embd.weight", zeros(config["max_position_embeddings"], n), TENSOR_Q8_0),
        ("token_types.weight", zeros(2, n), TENSOR_F32),
        ("token_embd_norm.weight", ones, TENSOR_F32),
        ("token_embd_norm.bias", zeros(n), TENSOR_F32),
    ]
    shapes = {
        "attn_q": (n, n),
        "attn_k": (n, n),
        "attn_v": (n, n),
        "attn_output": (n, n),
        "ffn_up": (inner, n),
        "ffn_down": (n, inner),
    }
    for name, shape in shapes.items():
        tensors.append((f"blk.0.{name}.weight", zeros(*shape), TENSOR_Q8_0))
        tensors.append((f"blk.0.{name}.bias", zeros(shape[0]), TENSOR_F32))
    tensors += [
        ("blk.0.attn_output_norm.weight", ones, TENSOR_F32),
        ("blk.0.attn_output_norm.bias", zeros(n), TENSOR_F32),
        ("blk.0.layer_output_norm.weight", gain, TENSOR_F32),
        ("blk.0.layer_output_norm.bias", zeros(n), TENSOR_F32),
    ]
    return gguf.write_gguf(path, model_metadata(config) + tokenizer_metadata(tokens), tensors)


def write_onnx(path: str, table: np.ndarray, config: dict[str, Any]) -> int:
    """Rows of int8 with a scale each; transformers.js takes the mean."""
    scale = (np.maximum(np.abs(table).max(1, keepdims=True), 1e-8) / 127).astype(np.float32)
    rounded = np.clip(np.rint(table / scale), -127, 127).astype(np.int8)
    rounded = np.pad(rounded, ((0, 0), (0, config["hidden_size"] - table.shape[1])))
    graph = Graph()

    def rows(values: np.ndarray) -> str:
        return graph.op("Gather", [graph.const(values), "input_ids"], axis=0)

    vectors = graph.op("Cast", [rows(rounded)], to=FLOAT)
    graph.op("Mul", [vectors, rows(scale)], "last_hidden_state")
    shape = ["batch", "sequence"]
    outputs = [("last_hidden_state", FLOAT, [*shape, config["hidden_size"]])]
    return graph.save(path, [("input_ids", INT64, shape)], outputs)


def write_folder(folder: str, table: np.ndarray, tokens: list[str], config: dict, tokenizer: dict) -> int:
    """`tokenizer`: the teacher's tokenizer.json, which is changed to the tokens that are left."""
    tokenizer["model"]["vocab"] = {token: index for index, token in enumerate(tokens)}
    tokenizer["padding"] = tokenizer["truncation"] = None
    for added in tokenizer["added_tokens"]:
        added["id"] = tokens.index(added["content"])
    for special in tokenizer["post_processor"]["special_tokens"].values():
        special["ids"] = [tokens.index(special["id"])]
    tokenizer_config = {
        "tokenizer_class": "BertTokenizer",
        "do_lower_case": True,
        "model_max_length": CONTEXT,
        "unk_token": "[UNK]",
        "sep_token": "[SEP]",
        "pad_token": "[PAD]",
        "cls_token": "[CLS]",
        "mask_token": "[MASK]",
    }
    os.makedirs(os.path.join(folder, "onnx"), exist_ok=True)
    files = {"tokenizer.json": tokenizer, "tokenizer_config.json": tokenizer_config, "config.json": config}
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)
    return write_onnx(os.path.join(folder, "onnx", "model_quantized.onnx"), table, config)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", help="folder of the teacher")
    parser.add_argument("data", help="folder with table.npz")
    parser.add_argument("out", help="folder to write into")
    options = parser.parse_args()
    trained = np.load(os.path.join(options.data, "table.npz"))
    with open(os.path.join(options.teacher, "tokenizer.json"), encoding="utf-8") as file:
        tokenizer = json.load(file)
    ids = tokenizer["model"]["vocab"]
    vocabulary = sorted(ids, key=ids.get)
    kept = [index for index, token in enumerate(vocabulary) if is_kept(token, trained["count"][index])]
    tokens = [vocabulary[index] for index in kept]
    table = trained["table"][kept].astype(np.float32)
    for token in SPECIAL_TOKENS:
        # They mean nothing; a trace in [CLS] keeps the vector of an empty text defined.
        table[tokens.index(token)] = trained["mean"] * 0.01 if token == "[CLS]" else 0
    config = {
        "model_type": "bert",
        "architectures": ["BertModel"],
        "vocab_size": len(tokens),
        "hidden_size": DIMENSIONS,
        "num_hidden_layers": 1,
        "num_attention_heads": 1,
        "intermediate_size": 32,
        "hidden_act": "gelu",
        "max_position_embeddings": CONTEXT,
        "type_vocab_size": 2,
        "layer_norm_eps": 1e-12,
        "pad_token_id": tokens.index("[PAD]"),
        "transformers.js_config": {"dtype": "q8"},
    }
    os.makedirs(options.out, exist_ok=True)
    np.save(os.path.join(options.data, "exported.npy"), table)
    folder = os.path.join(options.out, "reference-embedder-onnx")
    print(folder, write_folder(folder, table, tokens, config, tokenizer), "bytes,", len(tokens), "tokens")
    path = os.path.join(options.out, "reference-embedder-q8_0.gguf")
    print(path, write_gguf(path, table, tokens, config), "bytes")


if __name__ == "__main__":
    main()
