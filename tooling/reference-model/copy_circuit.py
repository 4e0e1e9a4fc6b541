"""A head start for copying, written into fresh weights. Without it, copying takes very long to appear at this size."""

from __future__ import annotations

import torch

from model import Block, Llama

# Found by trial, together with the learning rate of the start (see the README).
CONSTANT_FEATURE = 0.15
PREVIOUS_TOKEN = 1.6
WRITE_STRENGTH = 0.05
MATCH_STRENGTH = 4.0
FINAL_GAIN = 1.5
FAST_PAIRS_DAMPING = 40.0


@torch.no_grad()
def write_copy_circuit(model: Llama, heads: int = 4, two_tokens: bool = False) -> None:
    """In layer 0, `heads` heads attend to the token before and write its embedding into the stream; in layer 1 as many
    look for "the token after an earlier occurrence of this token" and write its embedding out. With `two_tokens`, heads
    work in pairs and match the last two tokens. Training refines the circuit, or undoes it.
    """
    config = model.config
    width, head = config.d, config.d // config.heads
    half = head // 2
    turns = config.base ** (-torch.arange(0, head, 2).float() / head)
    model.emb.weight[:, 0] = CONSTANT_FEATURE  # lets a head attend by position only
    # Random bases: what layer 0 reads, where it writes, and what layer 1 carries.
    read, _ = torch.linalg.qr(torch.randn(width, width))
    written, _ = torch.linalg.qr(torch.randn(width, width))
    carried, _ = torch.linalg.qr(torch.randn(width, width))
    first, second = model.blocks[0], model.blocks[1]
    model.norm.weight *= FINAL_GAIN

    # Pairs that turn fast tell positions apart, not contents.
    slow = 1 / (1 + FAST_PAIRS_DAMPING * turns)
    gain = torch.cat((slow, slow)).clamp(min=0.02).unsqueeze(1) * MATCH_STRENGTH
    even = (torch.arange(head) % 2 == 0).unsqueeze(1)
    query, key, value = (_part(first, index, width) for index in range(3))
    match_query, match_key, match_value = (_part(second, index, width) for index in range(3))

    for index in range(heads):
        rows = slice(index * head, (index + 1) * head)
        current = slice(index // 2 * 2 * head, (index // 2 * 2 + 1) * head) if two_tokens else rows
        before = slice(current.stop, current.stop + head)
        offset = 2 if two_tokens and index % 2 else 1

        query[rows] *= 0.1
        key[rows] *= 0.1
        query[rows, 0] = torch.cat((torch.full((half,), PREVIOUS_TOKEN), torch.zeros(half)))
        # The score is the sum of cos((m - n) turn - phase); with phase = offset * turn it is largest at that offset.
        phase = offset * turns
        key[rows, 0] = PREVIOUS_TOKEN * torch.cat((phase.cos(), phase.sin()))
        value[rows] = read[:, current].T
        first.o.weight[:, rows] = written[:, rows] * WRITE_STRENGTH

        if two_tokens:  # half of the dimensions match the current token, half the one before it
            match_query[rows] = torch.where(even, read[:, current].T, written[:, current].T) * gain
            match_key[rows] = torch.where(even, written[:, current].T, written[:, before].T) * gain
        else:
            match_query[rows] = read[:, rows].T * gain
            match_key[rows] = written[:, rows].T * gain
        match_value[rows] = carried[:, rows].T
        second.o.weight[:, rows] = carried[:, rows]


@torch.no_grad()
def tie_variants(model: Llama, tokens: list[str], share: float = 0.75) -> None:
    """Starts " word", "word" and "Word" as near neighbours, so that a copy can change its leading space or case."""
    ids = {token: index for index, token in enumerate(tokens)}
    embeddings = model.emb.weight
    constant = embeddings[:, 0].clone()
    space = torch.randn(model.config.d) * 0.02
    rest = (1 - share * share) ** 0.5
    for index, token in enumerate(tokens):
        if len(token) > 1 and token[0].isupper() and token.lower() in ids:
            embeddings[index] = share * embeddings[ids[token.lower()]] + rest * embeddings[index]
    for index, token in enumerate(tokens):
        if len(token) > 1 and token[0] == "\u0120" and token[1:] in ids:
            embeddings[index] = share * embeddings[ids[token[1:]]] + rest * embeddings[index] + space
    embeddings[:, 0] = constant


def _part(block: Block, index: int, width: int) -> torch.Tensor:
    """The rows of the query (0), key (1) or value (2) weights."""
    return block.qkv.weight[index * width : (index + 1) * width]
