"""Trains the chat model, or goes on from a checkpoint. Prints the loss of each skill."""

from __future__ import annotations

import argparse
import collections
import contextlib
import math
import multiprocessing
import os
import queue
import threading
import time
from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F

from copy_circuit import tie_variants, write_copy_circuit
from datagen import Generator, weighted_tokens
from model import Config, Llama
from tokenizer import Tokenizer

Sample = tuple[str, list[int], list[float]]
"""The skill, the ids, and each id's weight in the loss."""

Batch = tuple[list[str], torch.Tensor, torch.Tensor]
"""The skill of each row, ids [B, T] and weights [B, T], padded with 0."""

WARM_UP_STEPS = 30


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    add = parser.add_argument
    add("--data", required=True, help="JSON file of textsource.py")
    add("--bpe", required=True, help="JSON file of tokenizer.py")
    add("--out", required=True, help="checkpoint to write; training goes on from it when it exists")
    add("--minutes", type=float, default=0, help="length of this run; 0: --tokens decides")
    add("--tokens", type=float, default=10e6, help="length of all runs together")
    add("--reset_schedule", action="store_true", help="count --tokens from here")
    add("--seed", type=int, default=1)
    add("--threads", type=int, default=2)
    add("--workers", type=int, default=0, help="processes that make data; 0: a thread")
    add("--save", type=int, default=120, help="seconds between checkpoints")
    add("--log", type=int, default=50, help="steps between lines of output")

    model = parser.add_argument_group("model (ignored when training goes on)").add_argument
    model("--d", type=int, default=192)
    model("--layers", type=int, default=5)
    model("--heads", type=int, default=6)
    model("--ffn", type=int, default=512)
    model("--ctx", type=int, default=2048)
    model("--base", type=float, default=500000.0, help="of the rotary angles")
    model("--circuit", type=int, default=4, help="heads of the copy circuit; 0: a plain random start")
    model("--two", type=int, default=1, help="1: the copy circuit matches two tokens")
    model("--tie", type=float, default=0.0, help='how near " word", "word" and "Word" start')

    data = parser.add_argument_group("data").add_argument
    data("--batch", type=int, default=4096, help="tokens in a batch")
    data("--pool", type=int, default=600, help="samples sorted by length at a time")
    data("--mix", default="", help="skill=weight,... instead of the usual weights")
    data("--len0", type=int, default=140, help="longest sample at first")
    data("--len1", type=int, default=420, help="longest sample later")
    data("--grow", type=float, default=0.6, help="share of the run in which --len0 becomes --len1")
    data("--long", type=float, default=0.02, help="share of longer samples that are kept")
    data("--warm", type=float, default=0.7, help="share of repeated random tokens at first")
    data("--warm_end", type=float, default=0.25, help="share of the run after which there are none")
    data("--easy_end", type=float, default=0.3, help="share of the run with fewer tool calls")

    rate = parser.add_argument_group("optimiser").add_argument
    rate("--lr", type=float, default=8e-4)
    rate("--lr0", type=float, default=1.5e-4, help="at first: a larger one destroys the copy circuit")
    rate("--ramp", type=float, default=6000, help="steps from --lr0 to --lr")
    rate("--lr_end", type=float, default=0.05, help="share of --lr at the end")
    rate("--decay_from", type=float, default=0.6, help="share of the run after which the rate falls")
    rate("--wd", type=float, default=0.05, help="weight decay")
    rate("--clip", type=float, default=1.0)
    rate("--bf16", type=int, default=0, help="1: bfloat16 on the CPU too")
    return parser.parse_args()


def repeated_tokens(generator: Generator, tokenizer: Tokenizer, longest: int) -> Sample:
    """Random tokens, then the same again, of which all but the first two are learned: copying appears early."""
    tokens = 256 + len(tokenizer.merges)
    length = generator.between(6, longest // 2)
    if generator.random.random() < 0.5:
        first = [generator.between(33, tokens - 1) for _ in range(length)]
    else:
        first = tokenizer.encode(" " + generator.phrase(2, 12))[: longest // 2]
    gap = [generator.between(33, tokens - 1) for _ in range(generator.between(0, 6))]
    again = first[generator.between(0, max(0, len(first) - 4)) :]
    unlearned = len(first) + len(gap) + min(2, len(again))
    weights = [0.0] * unlearned + [1.0] * max(0, len(again) - 2)
    return "ind", first + gap + again, weights


def draw(generator: Generator, tokenizer: Tokenizer, options: argparse.Namespace, done: float) -> Sample | None:
    """The next sample for this point of the run (0 to 1), or None when it is too long or too hard for now."""
    longest = generator.max_length
    if generator.chance(max(0.0, options.warm * (1 - done / options.warm_end))):
        return repeated_tokens(generator, tokenizer, min(96, longest))
    skill, messages = generator.sample()
    if options.easy_end > done and skill in ("tools", "toolresult") and generator.chance(0.6):
        return None
    ids, weights = weighted_tokens(tokenizer, messages)
    if len(ids) > longest and not generator.chance(options.long):
        return None
    return None if len(ids) > options.ctx else (skill, ids, weights)


def batches(
    generator: Generator, tokenizer: Tokenizer, options: argparse.Namespace, progress: Callable[[], float]
) -> Iterator[Batch]:
    """Batches of samples of about one length, with about `options.batch` tokens each. There is no end to them."""
    while True:
        done = progress()
        grown = min(1.0, done / max(1e-6, options.grow))
        generator.max_length = int(options.len0 + (options.len1 - options.len0) * grown)
        pool: list[Sample] = []
        while len(pool) < options.pool:
            sample = draw(generator, tokenizer, options, done)
            if sample is not None:
                pool.append(sample)
        pool.sort(key=lambda sample: len(sample[1]))

        groups: list[list[Sample]] = [[]]
        for sample in pool:
            if groups[-1] and (len(groups[-1]) + 1) * len(sample[1]) > options.batch:
                groups.append([])
            groups[-1].append(sample)
        generator.random.shuffle(groups)
        for group in groups:
            yield pad(group)


def pad(group: list[Sample]) -> Batch:
    longest = max(len(ids) for _, ids, _ in group)
    ids = torch.zeros(len(group), longest, dtype=torch.long)
    weights = torch.zeros(len(group), longest)
    for row, (_, row_ids, row_weights) in enumerate(group):
        ids[row, : len(row_ids)] = torch.tensor(row_ids)
        weights[row, : len(row_ids)] = torch.tensor(row_weights)
    return [skill for skill, _, _ in group], ids, weights


def set_mix(generator: Generator, text: str) -> None:
    """`skill=weight,...` replaces the generator's own weights."""
    for entry in filter(None, text.split(",")):
        skill, weight = entry.split("=")
        generator.mix[skill] = float(weight)


def work(out: multiprocessing.Queue, done: object, options: argparse.Namespace, seed: int) -> None:
    """One process of data: the generator is plain Python, so a GPU needs several."""
    torch.set_num_threads(1)
    generator = Generator(options.data, seed=seed)
    set_mix(generator, options.mix)
    for batch in batches(generator, Tokenizer(options.bpe), options, lambda: done.value):
        out.put(batch)


def start_data(
    options: argparse.Namespace, tokenizer: Tokenizer, seed: int, done: object, progress: Callable[[], float]
) -> queue.Queue:
    """A queue that is kept full, by processes or by a thread."""
    if options.workers:
        spawn = multiprocessing.get_context("spawn")
        out = spawn.Queue(maxsize=8 * options.workers)
        for index in range(options.workers):
            seed_here = seed + 7919 * (index + 1)
            spawn.Process(target=work, args=(out, done, options, seed_here), daemon=True).start()
        return out
    generator = Generator(options.data, seed=seed)
    set_mix(generator, options.mix)
    out = queue.Queue(maxsize=8)

    def feed() -> None:
        for batch in batches(generator, tokenizer, options, progress):
            out.put(batch)

    threading.Thread(target=feed, daemon=True).start()
    return out


def learning_rate(options: argparse.Namespace, step: int, done: float) -> float:
    """Rises over `--ramp` steps, falls along a cosine from `--decay_from` on."""
    rate = options.lr0 + (options.lr - options.lr0) * min(1.0, step / options.ramp)
    rate *= min(1.0, (step + 1) / WARM_UP_STEPS)
    if done < options.decay_from:
        return rate
    falling = (done - options.decay_from) / (1 - options.decay_from)
    return rate * (options.lr_end + (1 - options.lr_end) * 0.5 * (1 + math.cos(math.pi * falling)))


def make_optimiser(model: Llama, options: argparse.Namespace) -> torch.optim.Optimizer:
    matrices = [parameter for parameter in model.parameters() if parameter.dim() > 1]
    gains = [parameter for parameter in model.parameters() if parameter.dim() <= 1]
    groups = [{"params": matrices, "weight_decay": options.wd}, {"params": gains, "weight_decay": 0.0}]
    return torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.98))


def token_losses(
    model: Llama, ids: torch.Tensor, weights: torch.Tensor, precision: contextlib.AbstractContextManager
):
    """The loss of each learned token, its weight, and the row that it is in; all [learned tokens]."""
    with precision:
        hidden = model.hidden(ids[:, :-1])
        learned = weights[:, 1:] > 0
        logits = hidden[learned] @ model.emb.weight.to(hidden.dtype).T
    losses = F.cross_entropy(logits.float(), ids[:, 1:][learned], reduction="none")
    return losses, weights[:, 1:][learned], learned.nonzero()[:, 0]


def main() -> None:
    options = read_options()
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    tokenizer = Tokenizer(options.bpe)

    state = torch.load(options.out, map_location="cpu") if os.path.exists(options.out) else None
    if state:
        model = Llama(Config(**state["config"]))
        model.load_state_dict(state["model"])
    else:
        shape = (options.d, options.layers, options.heads, options.ffn, options.ctx, options.base)
        model = Llama(Config(len(tokenizer.tokens), *shape))
        if options.circuit:
            write_copy_circuit(model, min(options.circuit, options.heads), bool(options.two))
            if options.tie > 0:
                tie_variants(model, tokenizer.tokens, options.tie)
    model.to(device)
    optimiser = make_optimiser(model, options)
    if state and "opt" in state:  # the checkpoint in weights/ has weights only
        optimiser.load_state_dict(state["opt"])
    seen, step = (state["seen"], state["step"]) if state else (0, 0)
    seen_before = seen
    counted_from = seen if options.reset_schedule else 0
    count = sum(parameter.numel() for parameter in model.parameters())
    print(f"{count} parameters on {device}, torch {torch.__version__}, {seen} tokens seen", flush=True)

    started = time.time()

    def progress() -> float:
        if options.minutes:
            return min(1.0, (time.time() - started) / 60 / options.minutes)
        return min(1.0, (seen - counted_from) / options.tokens)

    def save() -> None:
        weights = {name: value.cpu() for name, value in model.state_dict().items()}
        checkpoint = {"config": model.config.as_dict(), "model": weights, "opt": optimiser.state_dict()}
        checkpoint |= {"seen": seen, "step": step, "args": vars(options)}
        torch.save(checkpoint, options.out + ".tmp")
        os.replace(options.out + ".tmp", options.out)

    done = multiprocessing.get_context("spawn").Value("d", 0.0)
    source = start_data(options, tokenizer, options.seed * 1000 + step, done, progress)
    half = device == "cuda" or options.bf16
    precision = torch.autocast(device, dtype=torch.bfloat16) if half else contextlib.nullcontext()
    loss_of, count_of = collections.Counter(), collections.Counter()
    logged_at, logged_seen, saved_at = time.time(), seen, time.time()

    while True:
        done.value = progress()
        if done.value >= 1:
            break
        rate = learning_rate(options, step, done.value)
        for group in optimiser.param_groups:
            group["lr"] = rate
        skills, ids, weights = source.get()
        ids, weights = ids.to(device), weights.to(device)
        losses, learned_weights, rows = token_losses(model, ids, weights, precision)
        loss = (losses * learned_weights).sum() / learned_weights.sum()
        optimiser.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), options.clip)
        optimiser.step()
        step += 1
        seen += ids.numel()

        for row, value in zip(rows.tolist(), losses.detach().tolist(), strict=True):
            loss_of[skills[row]] += value
            count_of[skills[row]] += 1
        if step % options.log == 0:
            now = time.time()
            speed = (seen - logged_seen) / (now - logged_at)
            by_skill = " ".join(f"{skill} {loss_of[skill] / count_of[skill]:.2f}" for skill in sorted(count_of))
            print(
                f"step {step} tokens {seen / 1e6:.2f}M done {done.value:.2f} lr {rate:.1e} "
                f"{speed:.0f} tokens/s | {by_skill}",
                flush=True,
            )
            loss_of.clear()
            count_of.clear()
            logged_at, logged_seen = now, seen
        if time.time() - saved_at > options.save:
            save()
            saved_at = time.time()
    save()
    seconds = round(time.time() - started)
    print(f"done: {seen} tokens, {seen - seen_before} of them in this run of {seconds} s", flush=True)


if __name__ == "__main__":
    main()
