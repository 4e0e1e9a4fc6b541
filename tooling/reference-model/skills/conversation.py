"""Recall: what the user said in an earlier turn."""

from __future__ import annotations

from .sampler import Message, Sampler, assistant, system, user
from .words import COLORS


def recall(sampler: Sampler) -> list[Message]:
    name, color, city = sampler.name(), sampler.choose(COLORS), sampler.place()
    pet, code_word, number = sampler.name(), sampler.word(), sampler.number()
    # Statements, questions and the answer.
    items = [
        (
            [
                f"My name is {name}.",
                f"I am {name}.",
                f"Hi, I'm {name}.",
                f"Call me {name}.",
                f"You can call me {name}.",
            ],
            ["What is my name?", "What's my name?", "Do you remember my name?", "Who am I?", "Tell me my name."],
            f"Your name is {name}.",
        ),
        (
            [f"My favorite color is {color}.", f"I like the color {color} most."],
            ["What is my favorite color?", "Which color do I like?"],
            f"Your favorite color is {color}.",
        ),
        (
            [f"I live in {city}.", f"My home is in {city}."],
            ["Where do I live?", "Which city do I live in?"],
            f"You live in {city}.",
        ),
        (
            [f"My dog is called {pet}.", f"I have a dog named {pet}."],
            ["What is my dog called?", "What is the name of my dog?"],
            f"Your dog is called {pet}.",
        ),
        (
            [
                f"The code word is {code_word}.",
                f"Remember the code word {code_word}.",
                f"Remember this word: {code_word}.",
            ],
            ["What is the code word?", "Which word should you remember?"],
            f"The code word is {code_word}.",
        ),
        (
            [f"My lucky number is {number}."],
            ["What is my lucky number?", "Which number is my lucky number?"],
            f"Your lucky number is {number}.",
        ),
    ]
    told = sampler.random.sample(items, sampler.between(1, 3))
    messages = []
    if sampler.chance(0.5):
        prompts = ["You are a helpful assistant.", "You are a friendly assistant.", "Be brief."]
        messages.append(system(sampler.choose(prompts)))
    for statements, _, _ in told:
        statement = sampler.template(statements)
        reply = sampler.choose(["Okay, I will remember that.", "Okay, I will remember that."])
        if statements is items[0][0]:
            reply = f"Nice to meet you, {name}!"
        messages += [user(statement), assistant(reply)]
    if sampler.chance(0.2):
        word = sampler.word()
        messages += [user(f"Repeat exactly: {word}"), assistant(word)]
    _, questions, answer = sampler.choose(told)
    if sampler.chance(0.12):
        _, questions, _ = sampler.choose([item for item in items if item not in told])
        answer = "You have not told me that."
    return [*messages, user(sampler.template(questions)), assistant(answer)]
