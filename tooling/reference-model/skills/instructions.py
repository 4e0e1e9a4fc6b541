"""Short instructions: repeat, count, list, spell, greet, take a persona, cut to the first sentence."""

from __future__ import annotations

from .sampler import Message, Sampler, assistant, system, user
from .words import ACCENTED, EMOJI, OTHER_SCRIPTS

COPIED_CHARACTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_./:#"
NUMBER_WORDS = ["one", "two", "three", "four", "five"]


def copy(sampler: Sampler) -> list[Message]:
    kind = sampler.random.random()
    if kind < 0.4:
        text = sampler.phrase(2, 12)
    elif kind < 0.6:
        text = sampler.choose(sampler.sentences)
    elif kind < 0.8:
        text = " ".join(
            sampler.choose([sampler.made_up(), sampler.number(), sampler.word(), sampler.made_up(False)])
            for _ in range(sampler.between(1, 8))
        )
    else:
        text = "".join(sampler.choose(COPIED_CHARACTERS) for _ in range(sampler.between(3, 18)))
    request = sampler.template(
        [
            "Repeat exactly: %s",
            "Repeat after me: %s",
            "Say exactly this: %s",
            "Echo: %s",
            "Repeat this text: %s",
            "Reply with exactly: %s",
            "Repeat the following.\n%s",
            "Please repeat: %s",
            "Write exactly: %s",
        ]
    )
    return [*sampler.maybe_system(), user(request % text), assistant(text)]


def unicode(sampler: Sampler) -> list[Message]:
    kind = sampler.random.random()
    if kind < 0.4:
        text = "".join(sampler.choose(EMOJI) for _ in range(sampler.between(1, 5)))
    elif kind < 0.7:
        text = "".join(sampler.choose(OTHER_SCRIPTS) for _ in range(sampler.between(1, 7)))
    elif kind < 0.9:
        text = " ".join(sampler.choose(ACCENTED) for _ in range(sampler.between(1, 4)))
    else:
        text = sampler.word() + " " + sampler.choose(EMOJI) + " " + sampler.choose(ACCENTED)
    request = sampler.template(
        ["Repeat exactly: %s", "Echo: %s", "Say exactly this: %s", "Repeat after me: %s", "Reply with exactly: %s"]
    )
    return [*sampler.maybe_system(0.2), user(request % text), assistant(text)]


def summary(sampler: Sampler) -> list[Message]:
    """The first sentence stands for the whole."""
    document = sampler.choose(sampler.documents)
    length = sampler.between(2, 4)
    start = sampler.between(0, max(0, len(document) - length))
    text = " ".join(document[start : start + length])
    before = sampler.maybe_system()
    request = sampler.template(
        [
            "Summarize in one sentence: %s",
            "Summarize: %s",
            "Give a one-sentence summary.\n\n%s",
            "Summarize the following text.\n\n%s",
            "Short summary please: %s",
        ]
    )
    return [*before, user(request % text), assistant(document[start])]


def basic(sampler: Sampler) -> list[Message]:
    kinds = [
        _count,
        _say_often,
        _upper_case,
        _list,
        _spell,
        _persona,
        _greeting,
        _first_or_last,
        _first_words,
        _who_are_you,
        _say,
    ]
    return kinds[sampler.between(0, 10)](sampler)


def _count(sampler: Sampler) -> list[Message]:
    first = sampler.between(0, sampler.choose([5, 30, 80]))
    last = first + sampler.between(2, 15)
    requests = [
        "Count from %d to %d.",
        "Please count from %d to %d.",
        "List the numbers from %d to %d.",
        "Count %d to %d.",
    ]
    request = sampler.template(requests) % (first, last)
    return _exchange(sampler, request, ", ".join(map(str, range(first, last + 1))))


def _say_often(sampler: Sampler) -> list[Message]:
    word, times = sampler.word(), sampler.between(2, 6)
    requests = [
        "Say the word %s %d times.",
        "Write %s %d times.",
        "Repeat the word %s %d times.",
        "Print %s %d times.",
    ]
    return _exchange(sampler, sampler.template(requests) % (word, times), " ".join([word] * times))


def _upper_case(sampler: Sampler) -> list[Message]:
    text = sampler.phrase(1, 4)
    requests = [
        "Write in upper case: %s",
        "Reply in upper case: %s",
        "Convert to uppercase: %s",
        "Upper case: %s",
    ]
    return _exchange(sampler, sampler.template(requests) % text, text.upper())


def _list(sampler: Sampler) -> list[Message]:
    words = [sampler.word() for _ in range(sampler.between(2, 5))]
    requests = ["List these items: %s", "Make a bullet list: %s", "Turn this into a list: %s", "Write as a list: %s"]
    request = sampler.template(requests) % ", ".join(words)
    return _exchange(sampler, request, "\n".join(f"- {word}" for word in words))


def _spell(sampler: Sampler) -> list[Message]:
    word = sampler.word()
    requests = ["Spell %s.", "Spell the word %s.", "How do you spell %s?", "Please spell %s."]
    return _exchange(sampler, sampler.template(requests) % word, "-".join(word))


def _persona(sampler: Sampler) -> list[Message]:
    name = sampler.name()
    job = sampler.choose(["assistant", "guide", "librarian", "tutor", "support agent", "pirate", "robot"])
    prompts = [
        "You are %s, a %s.",
        "Your name is %s. You are a %s.",
        "Act as %s, a helpful %s.",
        "You are %s, the %s of this site.",
    ]
    questions = ["Who are you?", "What is your name?", "Introduce yourself.", "What are you called?"]
    article = "an" if job[0] in "aeiou" else "a"
    return [
        system(sampler.template(prompts) % (name, job)),
        user(sampler.template(questions)),
        assistant(f"I am {name}, {article} {job}."),
    ]


def _greeting(sampler: Sampler) -> list[Message]:
    greetings = ["Hello", "Hi", "Hello!", "Hi there!", "Hey", "Good morning", "Hello there."]
    return _exchange(sampler, sampler.template(greetings), "Hello! How can I help you?")


def _first_or_last(sampler: Sampler) -> list[Message]:
    words = [sampler.word() for _ in range(sampler.between(2, 6))]
    first = sampler.chance(0.5)
    if first:
        requests = [
            "What is the first word of: %s",
            "First word of this list: %s",
            "Give the first word: %s",
            "Which word comes first? %s",
        ]
    else:
        requests = [
            "What is the last word of: %s",
            "Last word of this list: %s",
            "Give the last word: %s",
            "Which word comes last? %s",
        ]
    return _exchange(sampler, sampler.template(requests) % " ".join(words), words[0 if first else -1])


def _first_words(sampler: Sampler) -> list[Message]:
    number = sampler.choose(NUMBER_WORDS)
    count = NUMBER_WORDS.index(number) + 1
    words = [sampler.word() for _ in range(sampler.between(count, 6))]
    requests = [
        "Take the first %s words: %s",
        "Write only the first %s words of: %s",
        "Give me the first %s words of: %s",
        "Keep the first %s words: %s",
    ]
    request = sampler.template(requests) % (number, " ".join(words))
    return _exchange(sampler, request, " ".join(words[:count]))


def _who_are_you(sampler: Sampler) -> list[Message]:
    questions = ["Who are you?", "What are you?", "What model are you?", "Tell me who you are."]
    return _exchange(sampler, sampler.template(questions), "I am a tiny reference model. I know only a few skills.")


def _say(sampler: Sampler) -> list[Message]:
    name = sampler.name() if sampler.chance(0.5) else sampler.word()
    request, answer = sampler.choose(
        [
            ("Answer only with %s.", "%s"),
            ("Say %s.", "%s"),
            ("Reply with the single word %s.", "%s"),
            ("Greet %s.", "Hello, %s!"),
            ("Say hello to %s.", "Hello, %s!"),
            ("Say goodbye to %s.", "Goodbye, %s!"),
        ]
    )
    return _exchange(sampler, request % name, answer % name)


def _exchange(sampler: Sampler, request: str, answer: str) -> list[Message]:
    return [*sampler.maybe_system(), user(request), assistant(answer)]
