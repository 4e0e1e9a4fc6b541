"""Collects clean English sentences from unpacked Debian documentation packages.

Only the sentences are kept, for the vocabulary and for passages to quote; none of this text is shipped.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import json
import os
import re
from collections.abc import Iterator
from html.parser import HTMLParser

SKIPPED_TAGS = {"script", "style", "pre", "code_block", "nav", "table", "head"}
BLOCK_TAGS = {"p", "li", "dd", "dt", "div", "h1", "h2", "h3", "h4", "td", "th", "br", "tr", "ul", "ol", "section"}

SOURCE_FILE = re.compile(r"\.(html|txt)(\.gz)?$")
TRANSLATION = re.compile(r"/(fr|de|ja|es|it|zh|pt|ru|tr|ko|pl)[_./-]|\.(fr|de|ja|es|ko|tr|pt-br|da|zh-cn)\.")
GOOD_SENTENCE = re.compile(r"^[A-Z][A-Za-z0-9 ,;:'\"()\-./_+=<>*@#%&`]*[.]$")
SENTENCE_END = re.compile(r"(?<=[a-z0-9)][.])\s+(?=[A-Z])")

LONGEST_FILE = 2_000_000
SENTENCES_PER_FILE = 400
HELD_OUT_SHARE = 20  # one document in so many

PLAIN_CHARACTERS = {
    "\u2019": "'",
    "\u2018": "'",
    "\u201c": '"',
    "\u201d": '"',
    "\u00b6": "",
    "\u2013": "-",
    "\u00a0": " ",
}


class BlockText(HTMLParser):
    """The text of an HTML page, one string for each block."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.blocks: list[str] = []
        self._current: list[str] = []
        self._skipping = 0

    def flush(self) -> None:
        text = re.sub(r"\s+", " ", "".join(self._current)).strip()
        self._current = []
        if text:
            self.blocks.append(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SKIPPED_TAGS:
            self._skipping += 1
        if tag in BLOCK_TAGS:
            self.flush()

    def handle_endtag(self, tag: str) -> None:
        if tag in SKIPPED_TAGS and self._skipping:
            self._skipping -= 1
        if tag in BLOCK_TAGS:
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self._skipping:
            self._current.append(data)


def paragraphs(path: str) -> list[str]:
    """The paragraphs of a text or HTML file, compressed or not. A file that cannot be read has none."""
    opener = gzip.open if path.endswith(".gz") else open
    try:
        with opener(path, "rt", encoding="utf-8", errors="replace") as file:
            raw = file.read(LONGEST_FILE)
    except OSError:
        return []
    if ".html" in path:
        parser = BlockText()
        try:
            parser.feed(raw)
        except AssertionError:
            pass  # the parser's word for markup it cannot read; what came before it is kept
        parser.flush()
        return parser.blocks
    return [re.sub(r"\s+", " ", block).strip() for block in re.split(r"\n\s*\n", raw)]


def sentences(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph that read as plain English prose of a usable length."""
    for character, plain in PLAIN_CHARACTERS.items():
        paragraph = paragraph.replace(character, plain)
    if not paragraph.endswith("."):
        return
    for sentence in SENTENCE_END.split(paragraph):
        sentence = sentence.strip()
        if not (35 <= len(sentence) <= 190 and GOOD_SENTENCE.match(sentence)):
            continue
        words = re.findall(r"[A-Za-z]+", sentence)
        letters = sum(map(len, words))
        if 6 <= len(words) <= 32 and letters > 0.72 * (len(sentence) - sentence.count(" ")):
            yield sentence


def collect(root: str) -> dict[str, list[list[str]]]:
    """The sentences of each document below `root`, split by document into `train` and `held`."""
    documents: dict[str, list[str]] = {}
    seen: set[bytes] = set()
    for folder, _, names in os.walk(root):
        for name in sorted(names):
            path = os.path.join(folder, name)
            relative = os.path.relpath(path, root)
            if not SOURCE_FILE.search(name) or TRANSLATION.search(relative + "."):
                continue
            fresh = []
            for paragraph in paragraphs(path):
                for sentence in sentences(paragraph):
                    digest = hashlib.md5(sentence.lower().encode()).digest()
                    if digest not in seen:
                        seen.add(digest)
                        fresh.append(sentence)
            if len(fresh) >= 3:
                documents[relative] = fresh[:SENTENCES_PER_FILE]

    split: dict[str, list[list[str]]] = {"train": [], "held": []}
    for relative, found in sorted(documents.items()):
        held = int(hashlib.md5(relative.encode()).hexdigest(), 16) % HELD_OUT_SHARE == 0
        split["held" if held else "train"].append(found)
    return split


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("root", help="folder of packages unpacked with `dpkg -x`")
    parser.add_argument("out", help="JSON file to write")
    options = parser.parse_args()
    split = collect(options.root)
    with open(options.out, "w") as file:
        json.dump(split, file)
    for name, documents in split.items():
        print(f"{name}: {len(documents)} documents, {sum(map(len, documents))} sentences")


if __name__ == "__main__":
    main()
