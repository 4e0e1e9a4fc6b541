"""A plain Llama: RMSNorm, rotary embeddings in halves (NEOX), SwiGLU, tied embeddings. PyTorch 1.13 and 2.x.

Shapes: B sequences of T tokens, width d, H heads of d / H, vocabulary V. Parameter names are those of the checkpoints.
"""

from __future__ import annotations

import dataclasses
import math

import torch
import torch.nn as nn
import torch.nn.functional as F

ATTENTION = getattr(F, "scaled_dot_product_attention", None)  # PyTorch 2 has it

Cache = list[torch.Tensor]
"""Keys and values of one layer, [B, H, tokens so far, d / H] each; empty before the first token."""


@dataclasses.dataclass
class Config:
    vocab: int
    d: int = 192
    layers: int = 5
    heads: int = 6
    ffn: int = 512
    ctx: int = 2048
    base: float = 500000.0
    """Of the rotary angles. Large, as heads of few dimensions need slow ones to match by content."""
    eps: float = 1e-5

    def as_dict(self) -> dict[str, float]:
        return dataclasses.asdict(self)


class Norm(nn.Module):
    def __init__(self, width: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = x.float()
        y = y * torch.rsqrt(y.pow(2).mean(-1, keepdim=True) + self.eps)
        return y.to(x.dtype) * self.weight.to(x.dtype)


def rotate(x: torch.Tensor, cos: torch.Tensor, sin: torch.Tensor) -> torch.Tensor:
    """x: [B, H, T, d / H]; cos, sin: [T, d / H / 2]."""
    a, b = x.chunk(2, -1)
    return torch.cat((a * cos - b * sin, b * cos + a * sin), -1)


def linear(inputs: int, outputs: int) -> nn.Linear:
    return nn.Linear(inputs, outputs, bias=False)


class Block(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.heads = config.heads
        self.n1 = Norm(config.d, config.eps)
        self.n2 = Norm(config.d, config.eps)
        self.qkv = linear(config.d, 3 * config.d)
        self.o = linear(config.d, config.d)
        self.gu = linear(config.d, 2 * config.ffn)  # gate, then up
        self.down = linear(config.ffn, config.d)

    def forward(
        self,
        x: torch.Tensor,
        cos: torch.Tensor,
        sin: torch.Tensor,
        mask: torch.Tensor | None,
        cache: Cache | None = None,
    ) -> torch.Tensor:
        """x: [B, T, d]. With a cache that is not empty, T is 1."""
        batch, length, width = x.shape
        split = self.qkv(self.n1(x)).view(batch, length, 3, self.heads, width // self.heads)
        q, k, v = split.permute(2, 0, 3, 1, 4)
        q, k = rotate(q, cos, sin).to(v.dtype), rotate(k, cos, sin).to(v.dtype)
        if cache is not None:
            if cache:
                k, v = torch.cat((cache[0], k), 2), torch.cat((cache[1], v), 2)
            cache[:] = [k, v]
        y = attend(q, k, v, mask)
        x = x + self.o(y.transpose(1, 2).reshape(batch, length, width))
        gate, up = self.gu(self.n2(x)).chunk(2, -1)
        return x + self.down(F.silu(gate) * up)


def attend(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, mask: torch.Tensor | None) -> torch.Tensor:
    """Causal attention; a single query sees all keys."""
    if ATTENTION is not None:
        return ATTENTION(q, k, v, is_causal=q.shape[2] > 1)
    scores = torch.matmul(q * (1 / math.sqrt(q.shape[-1])), k.transpose(-1, -2))
    if mask is not None:
        scores = scores + mask
    return torch.matmul(scores.softmax(-1), v)


class Llama(nn.Module):
    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.emb = nn.Embedding(config.vocab, config.d)
        self.blocks = nn.ModuleList([Block(config) for _ in range(config.layers)])
        self.norm = Norm(config.d, config.eps)
        head = config.d // config.heads
        turns = config.base ** (-torch.arange(0, head, 2).float() / head)
        angles = torch.outer(torch.arange(config.ctx).float(), turns)
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)
        self.start_at_random()

    @torch.no_grad()
    def start_at_random(self) -> None:
        nn.init.normal_(self.emb.weight, std=0.05)
        for block in self.blocks:
            for part in (block.qkv, block.o, block.gu, block.down):
                nn.init.normal_(part.weight, std=0.8 / math.sqrt(part.weight.shape[1]))
            block.o.weight *= 0.06  # branches start small beside the embeddings
            block.down.weight *= 0.06

    def hidden(self, ids: torch.Tensor, cache: list[Cache] | None = None, position: int = 0) -> torch.Tensor:
        """ids: [B, T], the first of them at `position`. Returns the normalised stream, [B, T, d]."""
        length = ids.shape[1]
        x = self.emb(ids)
        cos = self.cos[position : position + length].to(x.dtype)
        sin = self.sin[position : position + length].to(x.dtype)
        mask = None
        if ATTENTION is None and length > 1:
            mask = torch.full((length, length), -1e9, device=x.device).triu(1)
        for index, block in enumerate(self.blocks):
            x = block(x, cos, sin, mask, None if cache is None else cache[index])
        return self.norm(x)

    def forward(self, ids: torch.Tensor, cache: list[Cache] | None = None, position: int = 0) -> torch.Tensor:
        """Logits, [B, T, V]."""
        dtype = torch.bfloat16 if torch.is_autocast_enabled() else torch.float32
        return self.hidden(ids, cache, position) @ self.emb.weight.to(dtype).T

    @torch.no_grad()
    def generate(self, prompt: list[int], limit: int, end: int) -> tuple[list[int], bool]:
        """The likeliest next tokens, up to `limit`, and whether `end` came (it is left out)."""
        device = self.emb.weight.device
        cache: list[Cache] = [[] for _ in self.blocks]
        written: list[int] = []
        position = 0
        ids = torch.tensor([prompt], device=device)
        for _ in range(limit):
            last = self.hidden(ids, cache, position)[:, -1]
            position += ids.shape[1]
            token = int((last @ self.emb.weight.T).argmax(-1))
            if token == end:
                return written, True
            written.append(token)
            if position + 1 >= self.config.ctx:
                break
            ids = torch.tensor([[token]], device=device)
        return written, False
