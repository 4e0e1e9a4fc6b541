"""Synthetic conversations that teach the skills. Run it to read samples.

Every sample is a skill's name and its messages; only the last assistant message is the skill, but all of them are
learned. The held-out split has other documents, other words, other made-up names and some wordings of its own.
"""

from __future__ import annotations

import argparse

from skills import SKILLS
from skills.grounded import NO_ANSWER
from skills.sampler import Message, Sampler
from tokenizer import Tokenizer

__all__ = ["MIX", "NO_ANSWER", "Generator", "render", "weighted_tokens"]

# How often each skill is drawn.
MIX: dict[str, float] = {
    "rag": 10,
    "fact": 8,
    "recall": 2.5,
    "basic": 5,
    "json": 3,
    "tools": 6,
    "toolresult": 1.5,
    "think": 2,
    "unicode": 1.2,
    "summary": 1,
    "copy": 2,
}
FIRST_TOKENS = 3
FIRST_TOKENS_WEIGHT = 2.0


class Generator(Sampler):
    """A sampler that draws whole samples, by the weights in `mix`."""

    def __init__(self, sentences_path: str, seed: int = 0, split: str = "train", max_length: int = 420) -> None:
        super().__init__(sentences_path, seed=seed, split=split, max_length=max_length)
        self.mix = dict(MIX)

    def sample(self, skill: str | None = None) -> tuple[str, list[Message]]:
        if skill is None:
            skill = self.random.choices(list(self.mix), list(self.mix.values()))[0]
        return skill, SKILLS[skill](self)


def render(messages: list[Message], generate: bool = False) -> str:
    """The messages in ChatML. As Qwen has it, tool results in a row are one user turn."""
    text = ""
    for index, message in enumerate(messages):
        if message["role"] != "tool":
            text += f"<|im_start|>{message['role']}\n{message['content']}<|im_end|>\n"
            continue
        if index == 0 or messages[index - 1]["role"] != "tool":
            text += "<|im_start|>user"
        text += f"\n<tool_response>\n{message['content']}\n</tool_response>"
        if index + 1 == len(messages) or messages[index + 1]["role"] != "tool":
            text += "<|im_end|>\n"
    return text + ("<|im_start|>assistant\n" if generate else "")


def weighted_tokens(tokenizer: Tokenizer, messages: list[Message]) -> tuple[list[int], list[float]]:
    """The ids of a conversation and the weight of each in the loss: 0 outside of assistant turns.

    The first tokens of an answer decide what is copied, so they weigh more.
    """
    ids: list[int] = []
    weights: list[float] = []
    for index, message in enumerate(messages):
        if message["role"] == "assistant":
            head = tokenizer.encode("<|im_start|>assistant\n")
            body = tokenizer.encode(message["content"]) + [tokenizer.end_of_turn]
            tail = tokenizer.encode("\n")
            first = min(FIRST_TOKENS, len(body))
            ids += head + body + tail
            weights += [0.0] * len(head)
            weights += [FIRST_TOKENS_WEIGHT] * first + [1.0] * (len(body) - first)
            weights += [0.0] * len(tail)
            continue
        start = index
        if message["role"] == "tool":
            # Tool results in a row are rendered together, with the last of them.
            if index + 1 < len(messages) and messages[index + 1]["role"] == "tool":
                continue
            while messages[start - 1]["role"] == "tool":
                start -= 1
        before = render(messages[:start])
        added = tokenizer.encode(render(messages[: index + 1])[len(before) :])
        ids += added
        weights += [0.0] * len(added)
    return ids, weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", help="JSON file of textsource.py")
    parser.add_argument("--split", choices=["train", "held"], default="train")
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--count", type=int, default=2, help="samples of each skill (%(default)s)")
    options = parser.parse_args()
    generator = Generator(options.sentences, seed=options.seed, split=options.split)
    for skill in MIX:
        for _ in range(options.count):
            print(f"===== {skill}")
            print(render(generator.sample(skill)[1]))


if __name__ == "__main__":
    main()
