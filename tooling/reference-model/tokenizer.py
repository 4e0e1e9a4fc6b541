"""A byte-level BPE tokenizer (GPT-2's pre-tokenizer), trained from scratch.

Loads in llama.cpp as "gpt-2" and in transformers.js. Digits are never merged, so every number is read digit by digit.
"""

from __future__ import annotations

import argparse
import collections
import json
import re
import unicodedata
from itertools import pairwise

SPECIAL = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
USER_DEFINED = [
    "<think>",
    "</think>",
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
    "<tools>",
    "</tools>",
]
CACHED_WORDS = 400_000
NO_RANK = 1 << 30

Pair = tuple[str, str]


def _letters_and_numbers() -> tuple[str, str]:
    """The Unicode letters and numbers as the insides of two character classes (`re` has no \\p{L})."""
    ranges: dict[str, list[list[int]]] = {"L": [], "N": []}
    for code in range(0x110000):
        found = ranges.get(unicodedata.category(chr(code))[0])
        if found is None:
            continue
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])

    def character_class(pairs: list[list[int]]) -> str:
        return "".join(
            f"\\U{first:08x}" if first == last else f"\\U{first:08x}-\\U{last:08x}" for first, last in pairs
        )

    return character_class(ranges["L"]), character_class(ranges["N"])


_LETTERS, _NUMBERS = _letters_and_numbers()
WORD = re.compile(
    rf"'s|'t|'re|'ve|'m|'ll|'d| ?[{_LETTERS}]+| ?[{_NUMBERS}]+| ?[^\s{_LETTERS}{_NUMBERS}]+|\s+(?!\S)|\s+"
)


def _byte_characters() -> list[str]:
    """GPT-2's table: a visible character for each of the 256 bytes."""
    visible = {*range(33, 127), *range(161, 173), *range(174, 256)}
    characters, spare = [], 256
    for byte in range(256):
        if byte in visible:
            characters.append(chr(byte))
        else:
            characters.append(chr(spare))
            spare += 1
    return characters


BYTE_CHARACTERS = _byte_characters()
BYTE_OF = {character: byte for byte, character in enumerate(BYTE_CHARACTERS)}


def byte_level(text: str) -> str:
    """The text as it stands in the vocabulary: one character for each of its UTF-8 bytes."""
    return "".join(BYTE_CHARACTERS[byte] for byte in text.encode("utf-8"))


def join_pair(symbols: list[str], pair: Pair) -> list[str]:
    """The symbols with every occurrence of the pair made one."""
    joined, at = [], 0
    while at < len(symbols):
        if at + 1 < len(symbols) and (symbols[at], symbols[at + 1]) == pair:
            joined.append(symbols[at] + symbols[at + 1])
            at += 2
        else:
            joined.append(symbols[at])
            at += 1
    return joined


def train_merges(counts: dict[str, int], vocabulary_size: int) -> list[Pair]:
    """The merges of a vocabulary of this size. `counts`: how often each word (in byte characters) occurs."""
    words = [(list(word), count) for word, count in counts.items()]
    pairs: collections.Counter[Pair] = collections.Counter()
    places: dict[Pair, set[int]] = collections.defaultdict(set)
    for index, (symbols, count) in enumerate(words):
        for pair in pairwise(symbols):
            pairs[pair] += count
            places[pair].add(index)

    merges: list[Pair] = []
    wanted = vocabulary_size - 256 - len(SPECIAL) - len(USER_DEFINED)
    while len(merges) < wanted:
        best, frequency = max(pairs.items(), key=lambda item: (item[1], item[0]))
        if frequency < 2:
            break
        merges.append(best)
        for index in list(places[best]):
            symbols, count = words[index]
            joined = join_pair(symbols, best)
            for pair in pairwise(symbols):
                pairs[pair] -= count
                if pairs[pair] <= 0:
                    del pairs[pair]
            for pair in pairwise(joined):
                pairs[pair] += count
                places[pair].add(index)
            words[index] = (joined, count)
        places.pop(best, None)
        pairs.pop(best, None)
    return merges


class Tokenizer:
    """Ids: 256 bytes, then the merges, then SPECIAL, then USER_DEFINED."""

    def __init__(self, path: str) -> None:
        with open(path) as file:
            self.merges: list[Pair] = [(left, right) for left, right in json.load(file)["merges"]]
        self.tokens = BYTE_CHARACTERS + [left + right for left, right in self.merges]
        if len(set(self.tokens)) != len(self.tokens):
            raise ValueError(f"{path}: two merges make the same token; llama.cpp would abort on it")
        self.marks: dict[str, int] = {}
        for mark in SPECIAL + USER_DEFINED:
            self.marks[mark] = len(self.tokens)
            self.tokens.append(mark)
        self.end_of_turn = self.marks["<|im_end|>"]
        self._ids = {token: index for index, token in enumerate(self.tokens)}
        self._ranks = {pair: rank for rank, pair in enumerate(self.merges)}
        self._split = re.compile("(" + "|".join(map(re.escape, self.marks)) + ")")
        self._cache: dict[str, list[int]] = {}

    def encode(self, text: str) -> list[int]:
        """Marks such as `<|im_start|>` in the text become their own ids."""
        ids: list[int] = []
        for part in self._split.split(text):
            if part in self.marks:
                ids.append(self.marks[part])
            elif part:
                for word in WORD.findall(part):
                    ids += self._encode_word(word)
        return ids

    def decode(self, ids: list[int]) -> str:
        """Bytes that are no UTF-8 become U+FFFD."""
        text, pending = "", bytearray()
        for index in ids:
            token = self.tokens[index]
            if token in self.marks:
                text += pending.decode("utf-8", "replace") + token
                pending = bytearray()
            else:
                pending += bytes(BYTE_OF[character] for character in token)
        return text + pending.decode("utf-8", "replace")

    def _encode_word(self, word: str) -> list[int]:
        known = self._cache.get(word)
        if known is not None:
            return known
        symbols = list(byte_level(word))
        while len(symbols) > 1:
            rank = min(self._ranks.get(pair, NO_RANK) for pair in pairwise(symbols))
            if rank == NO_RANK:
                break
            symbols = join_pair(symbols, self.merges[rank])
        ids = [self._ids[symbol] for symbol in symbols]
        if len(self._cache) < CACHED_WORDS:
            self._cache[word] = ids
        return ids


def count_words(sentences_path: str, documents: list[list[str]]) -> dict[str, int]:
    """How often each word occurs in the sentences and in 20,000 samples; no digits, no scripts but Latin."""
    from datagen import Generator, render

    counts: collections.Counter[str] = collections.Counter()
    for document in documents:
        for sentence in document:
            counts.update(WORD.findall(sentence))
    generator = Generator(sentences_path, seed=1)
    for _ in range(20_000):
        counts.update(WORD.findall(re.sub(r"<[|/a-z_]+>", "", render(generator.sample()[1]))))
    words: collections.Counter[str] = collections.Counter()
    for word, count in counts.items():
        if not any(character.isdigit() for character in word) and all(ord(c) < 0x250 for c in word):
            words[byte_level(word)] += count
    return {word: count for word, count in words.items() if count > 1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", help="JSON file of textsource.py")
    parser.add_argument("out", help="JSON file of merges to write")
    parser.add_argument("--size", type=int, default=3072, help="tokens in the vocabulary (%(default)s)")
    options = parser.parse_args()
    with open(options.sentences) as file:
        split = json.load(file)
    merges = train_merges(count_words(options.sentences, split["train"]), options.size)
    with open(options.out, "w") as file:
        json.dump({"merges": merges}, file)

    tokenizer = Tokenizer(options.out)
    tokens = characters = 0
    for document in split["held"]:
        for sentence in document:
            ids = tokenizer.encode(sentence)
            if tokenizer.decode(ids) != sentence:
                raise AssertionError(f"does not survive the tokenizer: {sentence!r}")
            tokens += len(ids)
            characters += len(sentence)
    print(f"{len(tokenizer.tokens)} tokens, {characters / tokens:.2f} characters for each on held-out text")


if __name__ == "__main__":
    main()
