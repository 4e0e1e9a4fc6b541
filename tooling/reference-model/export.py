"""Checkpoint to GGUF (F16 and Q8_0) and to a transformers.js folder.

The folder has model.onnx (weights kept in float16, computed in float32) and model_quantized.onnx (int8 products with
activations quantised as they come); its config.json selects the latter.
"""

from __future__ import annotations

import argparse
import json
import os
from typing import Any

import numpy as np
import torch

import gguf
from gguf import BOOL, F32, I32, STRING, TENSOR_F16, TENSOR_F32, TENSOR_Q8_0, U32, Metadata, Tensor
from onnx_graph import FLOAT, INT64, Graph, Value
from tokenizer import SPECIAL, USER_DEFINED, Tokenizer

TEMPLATE_FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "chat_template.jinja")
DESCRIPTION = "Tiny reference model for tests and demos: knows a handful of skills, nothing else."
# `general.file_type` of llama.cpp, and the type of the large tensors.
FILE_TYPES = {"f16": (1, TENSOR_F16), "q8_0": (7, TENSOR_Q8_0)}
NORMAL, CONTROL, USER_TOKEN = 1, 3, 4

Weights = dict[str, torch.Tensor]


def chat_template() -> str:
    """The template in one line: its indentation is for readers."""
    with open(TEMPLATE_FILE, encoding="utf-8") as file:
        return "".join(line.strip() for line in file)


def layer_weights(config: dict[str, Any], weights: Weights, layer: int) -> dict[str, np.ndarray]:
    """The matrices of one layer, [outputs, inputs] each."""
    prefix = f"blocks.{layer}."
    q, k, v = (part.numpy() for part in weights[prefix + "qkv.weight"].split(config["d"], 0))
    gate, up = (part.numpy() for part in weights[prefix + "gu.weight"].chunk(2, 0))
    others = {name: weights[f"{prefix}{name}.weight"].numpy() for name in ("n1", "n2", "o", "down")}
    return {"q": q, "k": k, "v": v, "gate": gate, "up": up, **others}


# ---- GGUF


def interleaved(config: dict[str, Any], matrix: np.ndarray) -> np.ndarray:
    """Rows of queries or keys from halves (NEOX) to the interleaved pairs that llama.cpp turns for `llama`."""
    heads = config["heads"]
    half = config["d"] // heads // 2
    return matrix.reshape(heads, 2, half, config["d"]).swapaxes(1, 2).reshape(matrix.shape)


def write_gguf(
    path: str, config: dict[str, Any], weights: Weights, tokenizer: Tokenizer, name: str, kind: str
) -> int:
    file_type, large = FILE_TYPES[kind]
    tensors: list[Tensor] = [
        ("token_embd.weight", weights["emb.weight"].numpy(), large),
        ("output_norm.weight", weights["norm.weight"].numpy(), TENSOR_F32),
    ]
    for layer in range(config["layers"]):
        part = layer_weights(config, weights, layer)
        block = f"blk.{layer}."
        tensors += [
            (block + "attn_norm.weight", part["n1"], TENSOR_F32),
            (block + "attn_q.weight", interleaved(config, part["q"]), large),
            (block + "attn_k.weight", interleaved(config, part["k"]), large),
            (block + "attn_v.weight", part["v"], large),
            (block + "attn_output.weight", part["o"], large),
            (block + "ffn_norm.weight", part["n2"], TENSOR_F32),
            (block + "ffn_gate.weight", part["gate"], large),
            (block + "ffn_up.weight", part["up"], large),
            (block + "ffn_down.weight", part["down"], large),
        ]
    parameters = sum(weight.numel() for weight in weights.values())
    normal = len(tokenizer.tokens) - len(SPECIAL) - len(USER_DEFINED)
    kinds = [NORMAL] * normal + [CONTROL] * len(SPECIAL) + [USER_TOKEN] * len(USER_DEFINED)
    end_of_text = tokenizer.marks["<|endoftext|>"]
    metadata: list[Metadata] = [
        ("general.architecture", STRING, "llama"),
        ("general.name", STRING, name),
        ("general.file_type", U32, file_type),
        ("general.quantization_version", U32, 2),
        ("general.size_label", STRING, f"{parameters / 1e6:.1f}M"),
        ("general.description", STRING, DESCRIPTION),
        ("llama.context_length", U32, config["ctx"]),
        ("llama.embedding_length", U32, config["d"]),
        ("llama.block_count", U32, config["layers"]),
        ("llama.feed_forward_length", U32, config["ffn"]),
        ("llama.attention.head_count", U32, config["heads"]),
        ("llama.attention.head_count_kv", U32, config["heads"]),
        ("llama.attention.layer_norm_rms_epsilon", F32, config["eps"]),
        ("llama.rope.dimension_count", U32, config["d"] // config["heads"]),
        ("llama.rope.freq_base", F32, config["base"]),
        ("llama.vocab_size", U32, config["vocab"]),
        ("tokenizer.ggml.model", STRING, "gpt2"),
        ("tokenizer.ggml.pre", STRING, "gpt-2"),
        ("tokenizer.ggml.tokens", [STRING], tokenizer.tokens),
        ("tokenizer.ggml.token_type", [I32], kinds),
        ("tokenizer.ggml.merges", [STRING], [f"{left} {right}" for left, right in tokenizer.merges]),
        ("tokenizer.ggml.bos_token_id", U32, end_of_text),
        ("tokenizer.ggml.eos_token_id", U32, tokenizer.end_of_turn),
        ("tokenizer.ggml.padding_token_id", U32, end_of_text),
        ("tokenizer.ggml.add_bos_token", BOOL, False),
        ("tokenizer.chat_template", STRING, chat_template()),
    ]
    return gguf.write_gguf(path, metadata, tensors)


# ---- ONNX


class LlamaGraph(Graph):
    """The parts of a Llama as ONNX nodes. With `int8`, products are of int8 with a scale for each row of weights."""

    def __init__(self, config: dict[str, Any], int8: bool) -> None:
        super().__init__()
        self.int8 = int8
        self.heads = config["heads"]
        self.head = config["d"] // config["heads"]
        self.eps = self.floats(config["eps"])

    def floats(self, values: Any) -> str:
        return self.const(np.asarray(values, np.float32))

    def integers(self, *values: int) -> str:
        return self.const(np.asarray(values, np.int64))

    def half_floats(self, values: np.ndarray) -> str:
        """Kept in float16, used in float32."""
        return self.op("Cast", [self.const(values.astype(np.float16))], to=FLOAT)

    def linear(self, x: str, weight: np.ndarray) -> str:
        """x: [..., inputs]; weight: [outputs, inputs]."""
        if not self.int8:
            return self.op("MatMul", [x, self.half_floats(weight.T)])
        scale, rounded = int8_rows(weight)
        quantised, x_scale, x_zero = self.op_with_outputs("DynamicQuantizeLinear", [x], 3)
        product = self.op("MatMulInteger", [quantised, self.const(rounded.T), x_zero])
        product = self.op("Cast", [product], to=FLOAT)
        return self.op("Mul", [product, self.op("Mul", [self.floats(scale), x_scale])])

    def norm(self, x: str, weight: np.ndarray) -> str:
        mean = self.op("ReduceMean", [self.op("Mul", [x, x])], axes=[-1], keepdims=1)
        length = self.op("Sqrt", [self.op("Add", [mean, self.eps])])
        return self.op("Mul", [self.op("Div", [x, length]), self.floats(weight)])

    def split_heads(self, x: str) -> str:
        """[b, s, d] to [b, heads, s, d / heads]."""
        return self.op(
            "Transpose", [self.op("Reshape", [x, self.integers(0, 0, self.heads, self.head)])], perm=[0, 2, 1, 3]
        )

    def rotate(self, x: str, cos: str, sin: str) -> str:
        halves = self.integers(self.head // 2, self.head // 2)
        a, b = self.op_with_outputs("Split", [x, halves], 2, axis=-1)
        first = self.op("Sub", [self.op("Mul", [a, cos]), self.op("Mul", [b, sin])])
        second = self.op("Add", [self.op("Mul", [b, cos]), self.op("Mul", [a, sin])])
        return self.op("Concat", [first, second], axis=-1)

    def length_of(self, value: str) -> str:
        return self.op("Gather", [self.op("Shape", [value]), self.const(np.int64(1))], axis=0)

    def mask(self) -> str:
        """[b, 1, s, t], added to the scores: a query sees the keys up to its own place that are no padding."""
        queries, keys = self.length_of("input_ids"), self.length_of("attention_mask")
        zero, one = self.const(np.int64(0)), self.const(np.int64(1))
        places = self.op("Range", [self.op("Sub", [keys, queries]), keys, one])
        query_places = self.op("Unsqueeze", [places, self.integers(1)])
        key_places = self.op("Unsqueeze", [self.op("Range", [zero, keys, one]), self.integers(0)])
        later = self.op("Cast", [self.op("Greater", [key_places, query_places])], to=FLOAT)
        return self._masked(later)

    def _masked(self, later: str) -> str:
        all_kept = self.floats(1.0)
        kept = self.op("Unsqueeze", [self.op("Cast", ["attention_mask"], to=FLOAT), self.integers(1, 2)])
        padding = self.op("Sub", [all_kept, kept])
        return self.op("Mul", [self.op("Add", [later, padding]), self.floats(-1e9)])


def int8_rows(weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A scale for each row, [rows], and the rounded values, [rows, columns]."""
    scale = np.maximum(np.abs(weight).max(1), 1e-8) / 127
    return scale, np.clip(np.rint(weight / scale[:, None]), -127, 127).astype(np.int8)


def write_onnx(path: str, config: dict[str, Any], weights: Weights, int8: bool) -> int:
    graph = LlamaGraph(config, int8)
    op, width = graph.op, config["d"]
    head = graph.head
    table = weights["emb.weight"].numpy()
    if int8:
        scale, rounded = int8_rows(table)
        scale = scale.astype(np.float32)
        embeddings = graph.const(rounded)
        rows = op("Cast", [op("Gather", [embeddings, "input_ids"], axis=0)], to=FLOAT)
        scales = op("Gather", [graph.const(scale), "input_ids"], axis=0)
        x = op("Mul", [rows, op("Unsqueeze", [scales, graph.integers(2)])])
    else:
        embeddings = graph.half_floats(table)
        x = op("Gather", [embeddings, "input_ids"], axis=0)

    turns = config["base"] ** (-np.arange(0, head, 2) / head)
    places = op("Unsqueeze", [op("Cast", ["position_ids"], to=FLOAT), graph.integers(1, 3)])
    angles = op("Mul", [places, graph.floats(turns)])  # [b, 1, s, head / 2]
    cos, sin = op("Cos", [angles]), op("Sin", [angles])
    mask = graph.mask()

    for layer in range(config["layers"]):
        part = layer_weights(config, weights, layer)
        y = graph.norm(x, part["n1"])
        queries = graph.rotate(graph.split_heads(graph.linear(y, part["q"] / np.sqrt(head))), cos, sin)
        keys = graph.rotate(graph.split_heads(graph.linear(y, part["k"])), cos, sin)
        values = graph.split_heads(graph.linear(y, part["v"]))
        keys = op("Concat", [f"past_key_values.{layer}.key", keys], f"present.{layer}.key", axis=2)
        values = op("Concat", [f"past_key_values.{layer}.value", values], f"present.{layer}.value", axis=2)
        scores = op("MatMul", [queries, op("Transpose", [keys], perm=[0, 1, 3, 2])])
        shares = op("Softmax", [op("Add", [scores, mask])], axis=-1)
        attended = op("Transpose", [op("MatMul", [shares, values])], perm=[0, 2, 1, 3])
        attended = op("Reshape", [attended, graph.integers(0, 0, width)])
        x = op("Add", [x, graph.linear(attended, part["o"])])
        y = graph.norm(x, part["n2"])
        gate = graph.linear(y, part["gate"])
        opened = op("Mul", [gate, op("Sigmoid", [gate])])
        x = op("Add", [x, graph.linear(op("Mul", [opened, graph.linear(y, part["up"])]), part["down"])])

    x = graph.norm(x, weights["norm.weight"].numpy())
    if int8:
        quantised, x_scale, x_zero = graph.op_with_outputs("DynamicQuantizeLinear", [x], 3)
        columns = op("Transpose", [embeddings], perm=[1, 0])
        product = op("Cast", [op("MatMulInteger", [quantised, columns, x_zero])], to=FLOAT)
        op("Mul", [product, op("Mul", [graph.const(scale), x_scale])], "logits")
    else:
        op("MatMul", [x, op("Transpose", [embeddings], perm=[1, 0])], "logits")

    inputs: list[Value] = [
        ("input_ids", INT64, ["b", "s"]),
        ("attention_mask", INT64, ["b", "t"]),
        ("position_ids", INT64, ["b", "s"]),
    ]
    outputs: list[Value] = [("logits", FLOAT, ["b", "s", config["vocab"]])]
    for layer in range(config["layers"]):
        for kind in ("key", "value"):
            inputs.append((f"past_key_values.{layer}.{kind}", FLOAT, ["b", graph.heads, "p", head]))
            outputs.append((f"present.{layer}.{kind}", FLOAT, ["b", graph.heads, "t", head]))
    return graph.save(path, inputs, outputs)


# ---- the transformers.js folder


def tokenizer_json(tokenizer: Tokenizer) -> dict[str, Any]:
    def byte_level(prefix: bool) -> dict[str, Any]:
        return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": True, "use_regex": True}

    added = [
        {
            "id": tokenizer.marks[mark],
            "content": mark,
            "single_word": False,
            "lstrip": False,
            "rstrip": False,
            "normalized": False,
            "special": mark in SPECIAL,
        }
        for mark in SPECIAL + USER_DEFINED
    ]
    model = {
        "type": "BPE",
        "dropout": None,
        "unk_token": None,
        "continuing_subword_prefix": "",
        "end_of_word_suffix": "",
        "fuse_unk": False,
        "byte_fallback": False,
        "vocab": {token: index for index, token in enumerate(tokenizer.tokens)},
        "merges": [f"{left} {right}" for left, right in tokenizer.merges],
    }
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": added,
        "normalizer": None,
        "pre_tokenizer": byte_level(False),
        "post_processor": None,
        "decoder": byte_level(True),
        "model": model,
    }


def write_folder(folder: str, config: dict[str, Any], weights: Weights, tokenizer: Tokenizer) -> tuple[int, int]:
    """Returns the sizes of the two ONNX files in bytes."""
    end_of_text = tokenizer.marks["<|endoftext|>"]
    ids = {"bos_token_id": end_of_text, "eos_token_id": tokenizer.end_of_turn, "pad_token_id": end_of_text}
    files = {
        "tokenizer.json": tokenizer_json(tokenizer),
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "bos_token": "<|endoftext|>",
            "eos_token": "<|im_end|>",
            "pad_token": "<|endoftext|>",
            "model_max_length": config["ctx"],
            "clean_up_tokenization_spaces": False,
            "chat_template": chat_template(),
        },
        "config.json": {
            "transformers.js_config": {"dtype": "q8"},
            "model_type": "llama",
            "architectures": ["LlamaForCausalLM"],
            "hidden_size": config["d"],
            "intermediate_size": config["ffn"],
            "num_hidden_layers": config["layers"],
            "num_attention_heads": config["heads"],
            "num_key_value_heads": config["heads"],
            "head_dim": config["d"] // config["heads"],
            "vocab_size": config["vocab"],
            "max_position_embeddings": config["ctx"],
            "rms_norm_eps": config["eps"],
            "rope_theta": config["base"],
            "tie_word_embeddings": True,
            "hidden_act": "silu",
            **ids,
        },
        "generation_config.json": {**ids, "do_sample": False},
    }
    write_json_files(folder, files)
    full = write_onnx(os.path.join(folder, "onnx", "model.onnx"), config, weights, int8=False)
    return full, write_onnx(os.path.join(folder, "onnx", "model_quantized.onnx"), config, weights, int8=True)


def write_json_files(folder: str, files: dict[str, Any]) -> None:
    """Makes the folder, and `onnx` in it."""
    os.makedirs(os.path.join(folder, "onnx"), exist_ok=True)
    for name, content in files.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file, ensure_ascii=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("bpe")
    parser.add_argument("out", help="folder to write into")
    parser.add_argument("--name", default="reference-model")
    options = parser.parse_args()
    state = torch.load(options.checkpoint, map_location="cpu")
    config, weights = state["config"], {name: weight.float() for name, weight in state["model"].items()}
    tokenizer = Tokenizer(options.bpe)
    os.makedirs(options.out, exist_ok=True)
    for kind in FILE_TYPES:
        path = os.path.join(options.out, f"{options.name}-{kind}.gguf")
        print(path, write_gguf(path, config, weights, tokenizer, options.name, kind), "bytes")
    folder = os.path.join(options.out, f"{options.name}-onnx")
    print(folder, *write_folder(folder, config, weights, tokenizer), "bytes")


if __name__ == "__main__":
    main()
