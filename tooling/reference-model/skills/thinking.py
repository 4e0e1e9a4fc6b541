"""Thoughts: the user message ends with `/think`, the answer begins with a line between `<think>` and `</think>`."""

from __future__ import annotations

import re

from .conversation import recall
from .grounded import fact, rag
from .instructions import copy
from .sampler import Message, Sampler, assistant, user


def think(sampler: Sampler) -> list[Message]:
    kind = sampler.between(0, 4)
    if kind == 0:
        messages, thought = _about_passages(sampler)
    elif kind == 1:
        messages, thought = _about_sum(sampler)
    elif kind == 2:
        messages = recall(sampler)
        known = "not told" not in messages[-1]["content"]
        thought = "The user told me this earlier." if known else "The user did not say this."
    elif kind == 3:
        messages, thought = copy(sampler), "I should repeat the text."
    else:
        messages, thought = _about_owner(sampler)
    messages[-2]["content"] += sampler.choose([" /think", " /think", "\n/think"])
    messages[-1]["content"] = f"<think>\n{thought}\n</think>\n\n{messages[-1]['content']}"
    return messages


def _about_passages(sampler: Sampler) -> tuple[list[Message], str]:
    while True:
        messages = sampler.choose([fact, rag])(sampler)
        if len(messages[-2]["content"]) < sampler.max_length * 3:
            break
    number = re.search(r"\[(\d)\]$", messages[-1]["content"])
    thought = f"Passage [{number.group(1)}] has the answer." if number else "No passage has the answer."
    return messages, thought


def _about_sum(sampler: Sampler) -> tuple[list[Message], str]:
    left, right = sampler.between(0, 9), sampler.between(0, 9)
    question = sampler.choose(["What is %d plus %d?", "%d + %d = ?", "Add %d and %d."]) % (left, right)
    return [user(question), assistant(str(left + right))], f"{left} plus {right} is {left + right}."


def _about_owner(sampler: Sampler) -> tuple[list[Message], str]:
    first, its = sampler.name(), sampler.word()
    second, other = sampler.name(), sampler.word()
    question = f"{first} has a {its}. {second} has a {other}. Who has a {other}?"
    return [user(question), assistant(f"{second} has a {other}.")], f"The {other} belongs to {second}."
