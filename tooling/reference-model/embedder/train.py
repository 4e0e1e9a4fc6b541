"""Step 3: the vectors of the tokens.

Start: the teacher's vector of each token, on the principal axes of sentence vectors, weighted by frequency (SIF). Then
one projection for all tokens with a weight and a small shift for each; then each vector on its own. The loss is the
cosine to the teacher's sentence vectors, the teacher's similarities among neighbours, and contrast between queries and
passages.

N tokens in the vocabulary, D = DIMENSIONS - 2 (the last two dimensions stay free for the GGUF, see export.py).
"""

from __future__ import annotations

import argparse
import json
import os
import time

import numpy as np
import torch
import torch.nn.functional as F

from . import DIMENSIONS, TEACHER_CONTEXT
from .teach import load_tokenizer

CLUSTERS, CLUSTER_ROUNDS, CLUSTER_SAMPLE = 1500, 6, 40_000
CLUSTERS_IN_BATCH, TEXTS_OF_CLUSTER = 32, 16
PAIRS_IN_BATCH = 256
TEMPERATURE = 0.05
PROJECTION_SHARE = 0.3  # of the time; the rest is for the vectors on their own
PROJECTION_RATES = (1e-3, 1e-2, 2e-3)  # projection, weights, shifts
VECTOR_RATE = 2e-3


class Bags:
    """Lists of token ids as one flat array, for embedding bags."""

    def __init__(self, lists: list[list[int]]) -> None:
        self.flat = np.concatenate([np.asarray(ids, np.int64) for ids in lists])
        self.lengths = np.array([len(ids) for ids in lists])
        self.starts = np.concatenate([[0], np.cumsum(self.lengths)[:-1]])

    def __call__(self, rows: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
        """The ids of these lists one after the other, and where each begins."""
        lengths = self.lengths[rows]
        starts = np.concatenate([[0], np.cumsum(lengths)[:-1]])
        places = np.repeat(self.starts[rows] - starts, lengths) + np.arange(lengths.sum())
        return torch.from_numpy(self.flat[places]), torch.from_numpy(starts)


class Neighbours:
    """Batches of texts that are near each other for the teacher, so that their similarities are worth learning."""

    def __init__(self, targets: torch.Tensor, rows: np.ndarray, random: np.random.Generator) -> None:
        """targets: [texts, teacher dimensions], normalised; rows: the texts to draw from."""
        self.random = random
        centres = targets[rows[random.permutation(len(rows))[:CLUSTERS]]].clone()
        for _ in range(CLUSTER_ROUNDS):
            some = targets[rows[random.permutation(len(rows))[:CLUSTER_SAMPLE]]]
            sums = torch.zeros_like(centres).index_add_(0, (some @ centres.T).argmax(1), some)
            centres = torch.where(sums.norm(dim=1, keepdim=True) > 0, F.normalize(sums, dim=1), centres)
        nearest = torch.cat([(part @ centres.T).argmax(1) for part in targets.split(8192)]).numpy()
        members = (rows[nearest[rows] == cluster] for cluster in range(len(centres)))
        self.clusters = [cluster for cluster in members if len(cluster) > 1]
        sizes = np.array([len(cluster) for cluster in self.clusters])
        self.shares = sizes / sum(len(cluster) for cluster in self.clusters)

    def draw(self) -> np.ndarray:
        count = min(CLUSTERS_IN_BATCH, len(self.clusters))
        drawn = self.random.choice(len(self.clusters), count, replace=False, p=self.shares)
        parts = []
        for index in drawn:
            cluster = self.clusters[index]
            parts.append(self.random.choice(cluster, min(TEXTS_OF_CLUSTER, len(cluster)), replace=False))
        return np.concatenate(parts)


def similarity_loss(
    vectors: torch.Tensor, targets: torch.Tensor, teacher: torch.Tensor, share: float
) -> torch.Tensor:
    """vectors, targets: [batch, D], normalised; teacher: the same texts in all of the teacher's dimensions."""
    hidden = torch.eye(len(vectors), dtype=torch.bool)

    def soft(rows: torch.Tensor) -> torch.Tensor:
        return F.log_softmax((rows @ rows.T / TEMPERATURE).masked_fill(hidden, -1e4), 1)

    distance = 1 - (vectors * targets).sum(1).mean()
    return distance + share * F.kl_div(soft(vectors), soft(teacher), reduction="batchmean", log_target=True)


def bag_vectors(table: torch.Tensor, bag: tuple[torch.Tensor, torch.Tensor]) -> torch.Tensor:
    ids, starts = bag
    return F.normalize(F.embedding_bag(ids, table, starts, mode="sum"), dim=1)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("teacher", help="folder of the teacher")
    parser.add_argument("data", help="folder with texts.json and teach.npz; table.npz is written into it")
    parser.add_argument("--minutes", type=float, default=10)
    options = parser.parse_args()
    seconds = 60 * options.minutes
    torch.manual_seed(0)
    torch.set_num_threads(1)  # the steps are small: more threads only wait for each other
    random = np.random.default_rng(0)
    width = DIMENSIONS - 2

    with open(os.path.join(options.data, "texts.json")) as file:
        corpus = json.load(file)
    taught = np.load(os.path.join(options.data, "teach.npz"))
    tokenizer = load_tokenizer(options.teacher, TEACHER_CONTEXT)

    def encode(texts: list[str]) -> Bags:
        return Bags([encoded.ids[1:-1] for encoded in tokenizer.encode_batch(texts)])

    texts = encode([text for _, text in corpus["texts"]])
    queries = encode([query for query, _ in corpus["pairs"]])
    passages = encode([passage for _, passage in corpus["pairs"]])
    is_held = np.array([kind == "held" for kind, _ in corpus["texts"]])
    trained = np.where(~is_held & (texts.lengths > 0))[0]
    held = np.where(is_held & (texts.lengths > 0))[0]
    paired = np.where((queries.lengths > 0) & (passages.lengths > 0))[0]
    token_vectors = taught["tokens"].astype(np.float32)
    teacher = F.normalize(torch.from_numpy(taught["texts"].astype(np.float32)), dim=1)
    size = len(token_vectors)
    used = sum(np.bincount(bags.flat, minlength=size) for bags in (texts, queries, passages))
    counts = np.bincount(texts.flat, minlength=size)

    axes = torch.linalg.eigh(teacher.T @ teacher)[1].flip(1)[:, :width].contiguous()
    share = (counts + 0.5) / (counts + 0.5).sum()
    centred = torch.from_numpy(token_vectors - token_vectors[counts > 0].mean(0))
    rarity = torch.from_numpy(np.log(1e-3 / (1e-3 + share))).float()[:, None]
    targets = F.normalize(teacher @ axes, dim=1)
    neighbours = Neighbours(teacher, trained, random)

    # One projection for all tokens, a weight and a small shift for each.
    projection = torch.nn.Parameter(axes.clone())
    weights = torch.nn.Parameter(torch.zeros(size, 1))
    shifts = torch.nn.Parameter(torch.zeros(size, width))
    groups = [
        {"params": [parameter], "lr": rate}
        for parameter, rate in zip((projection, weights, shifts), PROJECTION_RATES, strict=True)
    ]
    optimiser = torch.optim.Adam(groups, betas=(0.9, 0.98))
    started, steps = time.time(), 0
    while (elapsed := time.time() - started) < seconds * PROJECTION_SHARE:
        for group, rate in zip(optimiser.param_groups, PROJECTION_RATES, strict=True):
            group["lr"] = rate * max(0.05, 1 - elapsed / seconds / PROJECTION_SHARE)
        rows = neighbours.draw()
        ids, starts = texts(rows)
        distinct, places = torch.unique(ids, return_inverse=True)
        table = torch.exp(rarity[distinct] + weights[distinct]) * (centred[distinct] @ projection + shifts[distinct])
        vectors = bag_vectors(table, (places, starts))
        loss = similarity_loss(vectors, targets[rows], teacher[rows], 0.2)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1
    print(f"projection: {steps} steps, loss {loss.item():.3f}", flush=True)

    with torch.no_grad():
        # Tokens without text inherit the projection, and the weight of rare ones.
        rare = weights[torch.from_numpy((counts > 0) & (counts < 4))].mean()
        weights[torch.from_numpy(counts == 0)] = rare
        table = torch.exp(rarity + weights) * (centred @ projection + shifts)
        table /= table.norm(dim=1).mean()
        # The targets, in the basis that the projection has reached.
        reached = bag_vectors(table, texts(trained[:20_000]))
        left, _, right = torch.linalg.svd(teacher[trained[:20_000]].T @ reached, full_matrices=False)
        targets = F.normalize(teacher @ (left @ right), dim=1)

    # Every token on its own (sparse updates), and contrast between queries and passages.
    vectors_of = torch.nn.EmbeddingBag.from_pretrained(table, freeze=False, mode="sum", sparse=True)
    optimiser = torch.optim.SparseAdam(vectors_of.parameters(), lr=VECTOR_RATE, betas=(0.9, 0.99))
    seconds_left = seconds * (1 - PROJECTION_SHARE)
    started, steps = time.time(), 0
    while (elapsed := time.time() - started) < seconds_left:
        rate = VECTOR_RATE * min(1, (steps + 1) / 30) * (1 - 0.95 * elapsed / seconds_left)
        optimiser.param_groups[0]["lr"] = rate
        rows, drawn = neighbours.draw(), random.choice(paired, PAIRS_IN_BATCH, replace=False)
        asked = F.normalize(vectors_of(*queries(drawn)), dim=1)
        answers = F.normalize(vectors_of(*passages(drawn)), dim=1)
        scores, own = asked @ answers.T / TEMPERATURE, torch.arange(len(drawn))
        vectors = F.normalize(vectors_of(*texts(rows)), dim=1)
        loss = similarity_loss(vectors, targets[rows], teacher[rows], 0.1)
        loss = loss + (F.cross_entropy(scores, own) + F.cross_entropy(scores.T, own)) / 2
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        steps += 1

    with torch.no_grad():
        seen = F.normalize(vectors_of(*texts(held)), dim=1)
        cosine = (seen * targets[held]).sum(1).mean()
        print(f"tokens: {steps} steps, loss {loss.item():.3f}, held-out cosine {cosine:.3f}")
        # Principal axes of sentence vectors first, so that a prefix of a vector is usable; mildly evened out.
        sentences = F.normalize(vectors_of(*texts(trained[:30_000])), dim=1)
        spread, axes = torch.linalg.eigh(sentences.T @ sentences)
        table = vectors_of.weight @ axes.flip(1) * (spread.flip(0) / spread.mean()) ** -0.25
        mean = F.normalize(sentences.mean(0) @ axes.flip(1), dim=0)
    np.savez(
        os.path.join(options.data, "table.npz"),
        table=(table / table.norm(dim=1).mean()).numpy(),
        count=used,
        mean=mean.numpy(),
    )


if __name__ == "__main__":
    main()
