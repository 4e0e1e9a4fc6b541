"""Random words, names and values; the same for the same seed."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Sequence
from typing import Any, TypeVar

from .words import COLORS, CONSONANTS, FIRST_NAMES, PLACES, STOP_WORDS, VOWELS

T = TypeVar("T")

Message = dict[str, str]
"""`role` (system, user, assistant, tool) and `content`."""


def system(text: str) -> Message:
    return {"role": "system", "content": text}


def user(text: str) -> Message:
    return {"role": "user", "content": text}


def assistant(text: str) -> Message:
    return {"role": "assistant", "content": text}


def to_json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


class Sampler:
    """Draws from one split of the sentences. The held-out split has its own documents, words and made-up names."""

    def __init__(
        self,
        sentences_path: str,
        seed: int = 0,
        split: str = "train",
        words_path: str = "/usr/share/dict/american-english",
        max_length: int = 420,
    ) -> None:
        self.random = random.Random(seed)
        self.split = split
        self.max_length = max_length
        """About how many tokens a sample may have; passages are kept below it."""
        with open(sentences_path) as file:
            self.documents: list[list[str]] = json.load(file)[split]
        self.sentences = [sentence for document in self.documents for sentence in document]
        try:
            with open(words_path, encoding="utf-8") as file:
                words = [line.strip() for line in file]
        except OSError:
            words = sorted({word for text in self.sentences for word in re.findall(r"\b[a-z]{3,10}\b", text)})
        usable = [word for word in words if re.fullmatch(r"[a-z]{3,10}", word)]
        self.words = [word for word in usable if _is_held_out(word) == (split != "train")]
        frequent = {word for text in self.sentences[:4000] for word in re.findall(r"\b[a-z]{4,9}\b", text)}
        self.common_words = sorted(frequent - STOP_WORDS)

    def choose(self, options: Sequence[T]) -> T:
        return self.random.choice(options)

    def chance(self, probability: float) -> bool:
        return self.random.random() < probability

    def between(self, low: int, high: int) -> int:
        """A whole number; both ends can come."""
        return self.random.randint(low, high)

    def template(self, options: Sequence[T]) -> T:
        """One of the wordings. Of four or more, training never sees the last one; the held-out split sees all."""
        if len(options) <= 3 or self.split != "train":
            return self.choose(options)
        return self.choose(options[:-1])

    def made_up(self, capital: bool = True) -> str:
        """A name that nobody has. The two splits have none in common."""
        while True:
            syllables = "".join(self.choose(CONSONANTS) + self.choose(VOWELS) for _ in range(self.between(1, 3)))
            name = syllables + self.choose(["", "n", "r", "x", "s", "l", "m", "k", "t"])
            held_out = sum(map(ord, name)) % 10 == 0
            if held_out == (self.split != "train") and len(name) > 3:
                return name.capitalize() if capital else name

    def name(self) -> str:
        return self.choose(FIRST_NAMES) if self.chance(0.35) else self.made_up()

    def word(self) -> str:
        return self.choose(self.words) if self.chance(0.6) else self.choose(self.common_words)

    def phrase(self, fewest: int = 1, most: int = 8) -> str:
        return " ".join(self.word() for _ in range(self.between(fewest, most)))

    def number(self, largest: int | None = None) -> str:
        return str(self.between(0, largest or self.choose([9, 20, 99, 999, 9999, 99999])))

    def place(self) -> str:
        return self.choose(PLACES + [self.made_up()])

    def address(self) -> str:
        """A mail address, but for its top-level domain."""
        return self.made_up(False) + "@" + self.made_up(False)

    def value(self) -> str:
        """Something that an attribute can be: a number, a name, a time, a version."""
        units = ["days", "minutes", "MB", "meters", "kilograms", "euros", "percent", "seconds", "hours", "watts"]
        makers = [
            self.number,
            self.made_up,
            lambda: self.choose(PLACES),
            lambda: self.choose(COLORS),
            self.word,
            lambda: self.number(99) + " " + self.choose(units),
            lambda: f"{self.between(0, 20)}.{self.between(0, 40)}.{self.between(0, 9)}",
            lambda: self.word() + "-" + self.number(99),
            lambda: self.name() + " " + self.made_up(),
            lambda: f"{self.between(0, 23):02d}:{self.between(0, 59):02d}",
        ]
        return self.choose(makers)()

    def maybe_system(self, probability: float = 0.4) -> list[Message]:
        if not self.chance(probability):
            return []
        return [
            system(
                self.choose(
                    [
                        "You are a helpful assistant.",
                        "You are a concise assistant.",
                        "Follow the instructions exactly.",
                        "You are a test model.",
                    ]
                )
            )
        ]


def _is_held_out(word: str) -> bool:
    return sum(ord(character) * (place + 7) for place, character in enumerate(word)) % 10 == 0
