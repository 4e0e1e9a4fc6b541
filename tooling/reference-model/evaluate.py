"""Greedy accuracy for each skill on the held-out split: other documents, other made-up names, some unseen wordings.

A sample counts when the whole last assistant turn is right to the letter. Grounded answers also show how often the
citation alone, and the first four words, are right, and how many questions without an answer were recognised.
"""

from __future__ import annotations

import argparse
import json
import re

import torch

from datagen import MIX, NO_ANSWER, Generator, render
from model import Config, Llama
from tokenizer import Tokenizer

LONGER_PROMPT = 100  # tokens above --max-length that a prompt may still have
SPARE_TOKENS = 24  # that an answer may be longer than the right one
KEPT = 4  # prompts of each skill for the engine check, right ones first


def citation(text: str) -> str | None:
    found = re.search(r"\[\d\]$", text)
    return found.group() if found else None


def first_words(text: str) -> list[str]:
    return text.split()[:4]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint")
    parser.add_argument("bpe")
    parser.add_argument("sentences")
    parser.add_argument("--count", type=int, default=40, help="samples of each skill (%(default)s)")
    parser.add_argument("--show", type=int, default=0, help="print so many wrong answers of each skill")
    parser.add_argument("--prompts", help="JSON file to write, with prompts and answers for check.mjs")
    parser.add_argument("--split", choices=["train", "held"], default="held")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--max-length", type=int, default=420, help="in tokens (%(default)s)")
    options = parser.parse_args()

    torch.set_num_threads(options.threads)
    state = torch.load(options.checkpoint, map_location="cpu")
    model = Llama(Config(**state["config"])).eval()
    model.load_state_dict(state["model"])
    tokenizer = Tokenizer(options.bpe)
    generator = Generator(options.sentences, seed=77, split=options.split, max_length=options.max_length)
    print(f"tokens seen {state['seen']}")

    kept: list[dict] = []
    for skill in MIX:
        right = stopped = total = cited = began = unanswerable = recognised = shown = kept_here = 0
        while total < options.count:
            _, messages = generator.sample(skill)
            want = messages[-1]["content"]
            prompt = render(messages[:-1], generate=True)
            ids = tokenizer.encode(prompt)
            if len(ids) > options.max_length + LONGER_PROMPT:
                continue
            total += 1
            limit = len(tokenizer.encode(want)) + SPARE_TOKENS
            written, ended = model.generate(ids, limit, tokenizer.end_of_turn)
            got = tokenizer.decode(written)
            good = ended and got == want
            right += good
            stopped += ended
            cited += citation(got) == citation(want)
            began += first_words(got) == first_words(want)
            if want == NO_ANSWER:
                unanswerable += 1
                recognised += good
            if kept_here < KEPT and (good or kept_here < KEPT // 2):
                kept_here += 1
                kept.append(
                    {"skill": skill, "prompt": prompt, "want": want, "torch": got, "ids": ids, "ended": ended}
                )
            if not good and shown < options.show:
                shown += 1
                print(f"--- {skill}\n{prompt[-700:]}\nWANT {want}\nGOT  {got}")
        line = f"{skill:10} exact {right / total:.2f} stops {stopped / total:.2f}"
        if skill in ("rag", "fact"):
            line += f" citation {cited / total:.2f} first4 {began / total:.2f} none {recognised}/{unanswerable}"
        print(line, flush=True)
    if options.prompts:
        with open(options.prompts, "w") as file:
            json.dump(kept, file, ensure_ascii=False, indent=1)


if __name__ == "__main__":
    main()
