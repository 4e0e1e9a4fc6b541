"""Answers from numbered passages, quoted with the passage's number; and saying so when no passage has the answer."""

from __future__ import annotations

import re

from .sampler import Message, Sampler, assistant, system, user
from .words import ATTRIBUTES, STOP_WORDS, THINGS

NO_ANSWER = "I don't have enough information to answer this question."

Fact = tuple[str, str, str, int]
"""Attribute, entity, value, and which of the six wordings states it."""

HEADINGS = [
    "Passages:\n",
    "Context:\n",
    "Sources:\n",
    "Documents:\n",
    "Use these passages:\n",
    "Here is the context:\n\n",
    "",
    "Search results:\n",
    "Excerpts:\n",
]
QUESTION_FORMS = [
    "\n\nQuestion: %s",
    "\n\nQuestion: %s\nAnswer:",
    "\n\n%s",
    "\n\nUser question: %s",
    "\n\nQ: %s",
    "\n\nQuestion:\n%s",
    "\n\nMy question: %s",
]
SYSTEM_PROMPTS = [
    "Answer from the numbered passages and cite them.",
    "Answer the question using only the context. Cite the passage number like [1].",
    "You are a helpful assistant. Use the passages to answer and cite sources with [n].",
    "Answer only from the given sources. If the answer is not there, say that you don't have enough information.",
    "You answer questions about documents. Cite the numbered source.",
    "Use only the numbered context below. Cite with [n]. If the context does not contain the answer, say so.",
    "You are a retrieval assistant.",
    None,
    "Ground every answer in the numbered excerpts and give the number in brackets.",
]
QUESTIONS_ABOUT_TWO = [
    "What does the text say about %s and %s?",
    "How is %s related to %s?",
    "What about %s and %s?",
    "How does %s affect %s?",
    "Explain %s and %s.",
    "Is %s connected with %s?",
    "Where do %s and %s come up?",
    "Why does %s matter for %s?",
]
QUESTIONS_ABOUT_ONE = [
    "What is said about %s?",
    "Tell me about %s.",
    "What about %s?",
    "Explain %s.",
    "What do the passages say about %s?",
    "How does %s work?",
    "%s?",
    "Describe %s.",
    "What should I know about %s?",
]
QUESTIONS_BY_VERB = {
    "is": "What is %s?",
    "are": "What are %s?",
    "can": "What can %s do?",
    "must": "What must %s do?",
    "should": "What should %s do?",
    "has": "What does %s have?",
}
SUBJECT_AND_VERB = re.compile(
    r"^(?:The |A |An )?([A-Za-z][\w\- ]{2,40}?) "
    r"(is|are|can|must|should|has|provides|contains|specifies|allows|returns|controls) (.+)\.$"
)
FACT_QUESTIONS = [
    "What is the %s of %s?",
    "What %s does %s have?",
    "Tell me the %s of %s.",
    "What is the %s for %s?",
    "Which %s belongs to %s?",
    "Do you know the %s of %s?",
    "Give the %s of %s.",
]


def rag(sampler: Sampler) -> list[Message]:
    """Passages of documentation and a question about one sentence of them; the answer is that sentence."""
    count = sampler.choose([1, 2, 2, 3, 3, 4, 5])
    for _ in range(50):
        passages = []
        for _ in range(count):
            document = sampler.choose(sampler.documents)
            length = sampler.choose([1, 1, 1, 2, 2, 3]) if count < 5 else sampler.choose([1, 1, 2])
            start = sampler.between(0, max(0, len(document) - length))
            passages.append(document[start : start + length])
        if sum(len(sentence) for passage in passages for sentence in passage) > sampler.max_length * 3.2:
            continue
        numbered = [(number, sentence) for number, passage in enumerate(passages, 1) for sentence in passage]
        texts = [" ".join(passage) for passage in passages]

        if sampler.chance(0.17):
            question = question_about(sampler, sampler.choose(sampler.sentences), set())
            present = {stem(word) for _, sentence in numbered for word in content_words(sentence)}
            if not question or any(stem(word) in present for word in content_words(question)):
                continue
            return rag_prompt(sampler, texts, question) + [assistant(NO_ANSWER)]

        number, answer = sampler.choose(numbered)
        elsewhere = {stem(word) for _, other in numbered if other != answer for word in content_words(other)}
        question = question_about(sampler, answer, elsewhere)
        if question:
            return rag_prompt(sampler, texts, question) + [assistant(f"{answer} [{number}]")]
    return fact(sampler)


def fact(sampler: Sampler) -> list[Message]:
    """Short made-up facts and a question about one of them, or about one that is not there."""
    entities = []
    for _ in range(sampler.between(1, 3)):
        thing = sampler.choose(THINGS)
        kinds = [
            sampler.made_up(),
            f"the {sampler.made_up()} {thing}",
            f"the {thing} {sampler.made_up()}",
            sampler.name(),
        ]
        entities.append(sampler.choose(kinds))
    facts: list[Fact] = []
    known = set()
    for _ in range(sampler.between(1, 6)):
        entity, attribute = sampler.choose(entities), sampler.choose(ATTRIBUTES)
        if (entity, attribute) not in known:
            known.add((entity, attribute))
            facts.append((attribute, entity, sampler.value(), sampler.between(0, 5)))

    lines: list[tuple[str, Fact | None]] = []
    for one in facts:
        line = fact_line(*one)
        lines.append((line[0].upper() + line[1:], one))
    for _ in range(sampler.choose([0, 0, 0, 1, 2])):
        lines.append((sampler.choose(sampler.sentences), None))
    sampler.random.shuffle(lines)

    passages, at = [], 0
    while at < len(lines):
        length = sampler.choose([1, 1, 2])
        passages.append(lines[at : at + length])
        at += length
    passages = passages[:5]
    shown = [(number, line, one) for number, passage in enumerate(passages, 1) for line, one in passage if one]
    texts = [" ".join(line for line, _ in passage) for passage in passages]

    if not shown or sampler.chance(0.2):
        entity, attribute = sampler.choose([sampler.made_up(), sampler.choose(entities)]), sampler.choose(ATTRIBUTES)
        if any(one[0] == attribute and one[1] == entity for _, _, one in shown):
            entity = sampler.made_up()
        question = sampler.template(FACT_QUESTIONS) % (attribute, entity)
        return rag_prompt(sampler, texts, question) + [assistant(NO_ANSWER)]

    number, line, (attribute, entity, value, _) = sampler.choose(shown)
    answer = line
    question = sampler.template(FACT_QUESTIONS) % (attribute, entity)
    if sampler.chance(0.25):
        brief = [" Answer briefly.", " Reply with the value only.", " Be brief.", " Short answer."]
        question += sampler.template(brief)
        answer = value
    return rag_prompt(sampler, texts, question) + [assistant(f"{answer} [{number}]")]


def rag_prompt(sampler: Sampler, passages: list[str], question: str) -> list[Message]:
    """The messages before the answer, in one of many shapes that applications use."""
    style = sampler.choose(["num", "num", "num", "num", "ctx", "doc", "plain"])
    numbered = list(enumerate(passages, 1))
    if style == "num":
        body = "\n".join(f"[{number}] {passage}" for number, passage in numbered)
    elif style == "ctx":
        body = "\n\n".join(f"[{number}] {passage}" for number, passage in numbered)
    elif style == "doc":
        sources = [sampler.word() + sampler.choose([".md", ".txt", ".pdf", ".html"]) for _ in passages]
        forms = ["[%d] (%s)\n%s"]
        body = "\n\n".join(sampler.choose(forms) % (number, sources[number - 1], text) for number, text in numbered)
    else:
        body = "\n".join(f"[{number}]: {passage}" for number, passage in numbered)
    heading = sampler.template(HEADINGS)
    tail = sampler.template(QUESTION_FORMS)
    instruction = sampler.template(SYSTEM_PROMPTS)
    prompt = heading + body + tail % question
    if not instruction:
        return [user(prompt)]
    if sampler.chance(0.12):
        return [user(f"{instruction}\n\n{prompt}")]
    if sampler.chance(0.15):
        return [system(f"{instruction}\n\n{heading}{body}"), user(question)]
    return [system(instruction), user(prompt)]


def question_about(sampler: Sampler, sentence: str, avoid: set[str]) -> str | None:
    """A question with words of this sentence whose stems are not in `avoid`; None when it has too few of them."""
    words, stems = [], set()
    for word in content_words(sentence):
        if stem(word) not in stems and stem(word) not in avoid:
            stems.add(stem(word))
            words.append(word)
    if len(words) < 2:
        return None
    match = SUBJECT_AND_VERB.match(sentence)
    if match and sampler.chance(0.5):
        subject, verb = match.group(1), match.group(2)
        if not re.match(r"[A-Z][a-z]*[A-Z]", subject):
            subject = subject[0].lower() + subject[1:]
        if any(stem(word) in stems for word in content_words(subject)):
            return _question_by_verb(sampler, sentence, subject, verb, words)

    count = sampler.between(1, min(4, len(words))) if len(words) > 2 else 2
    if count == 1 and max(map(len, words)) < 7:
        count = 2
    if count == 1:
        picked = [max(words, key=len)]
    elif sampler.chance(0.6):
        start = sampler.between(0, len(words) - count)
        picked = words[start : start + count]
    else:
        picked = sampler.random.sample(words, count)
    picked = [word if re.search("[A-Z].*[A-Z_]", word) else word.lower() for word in picked]
    if len(picked) > 1 and sampler.chance(0.6):
        return sampler.template(QUESTIONS_ABOUT_TWO) % (picked[0], " ".join(picked[1:]))
    return sampler.template(QUESTIONS_ABOUT_ONE) % " ".join(picked)


def _question_by_verb(sampler: Sampler, sentence: str, subject: str, verb: str, words: list[str]) -> str:
    article = ""
    if sentence.startswith("The "):
        article = "the "
    elif sentence.startswith("A "):
        article = "a "
    others = [word for word in words if word.lower() not in subject.lower()]
    tail = ""
    if others and sampler.chance(0.4):
        tail = " " + sampler.choose(["with", "about", "for", "regarding"]) + " " + sampler.choose(others).lower()
    form = QUESTIONS_BY_VERB.get(verb, "What does %s " + re.sub("s$", "", verb) + "?")
    return (form % (article + subject)).replace("?", tail + "?")


def fact_line(attribute: str, entity: str, value: str, wording: int) -> str:
    return [
        f"The {attribute} of {entity} is {value}.",
        f"{entity} has the {attribute} {value}.",
        f"For {entity}, the {attribute} is {value}.",
        f"The {attribute} for {entity} was set to {value}.",
        f"{entity}: {attribute} is {value}.",
        f"In {entity}, the {attribute} equals {value}.",
    ][wording]


def content_words(text: str) -> list[str]:
    return [word for word in re.findall(r"[A-Za-z][A-Za-z_\-]{2,}", text) if word.lower() not in STOP_WORDS]


def stem(word: str) -> str:
    word = word.lower()
    for ending in ("ing", "ed", "es", "s", "ly"):
        if word.endswith(ending) and len(word) - len(ending) >= 4:
            return word[: -len(ending)]
    return word
