"""JSON objects out of facts in plain words."""

from __future__ import annotations

from typing import Any

from .sampler import Message, Sampler, assistant, system, to_json, user
from .words import COLORS

# The keys, and which of the kinds below their values are of.
KEYS = [
    ("name", "name"),
    ("age", "integer"),
    ("city", "place"),
    ("email", "email"),
    ("title", "phrase"),
    ("price", "decimal"),
    ("quantity", "integer"),
    ("color", "color"),
    ("active", "boolean"),
    ("id", "integer"),
    ("status", "word"),
    ("country", "place"),
    ("priority", "integer"),
    ("tag", "word"),
    ("owner", "name"),
    ("enabled", "boolean"),
    ("score", "decimal"),
    ("language", "word"),
    ("product", "word"),
    ("year", "year"),
]
SCHEMA_TYPES = {"integer": "integer", "year": "integer", "decimal": "number", "boolean": "boolean"}


def json_object(sampler: Sampler) -> list[Message]:
    keys = sampler.random.sample(KEYS, sampler.between(1, 4))
    values = {key: _value(sampler, kind) for key, kind in keys}
    told = list(values.items())
    if sampler.chance(0.3):
        sampler.random.shuffle(told)
    facts = sampler.choose(
        [
            ", ".join(f"{key} is {_plain(value)}" for key, value in told),
            ", ".join(f"{key}: {_plain(value)}" for key, value in told),
            " ".join(f"The {key} is {_plain(value)}." for key, value in told),
            "; ".join(f"{key} = {_plain(value)}" for key, value in told),
        ]
    )
    properties = {key: {"type": SCHEMA_TYPES.get(kind, "string")} for key, kind in keys}
    schema = to_json({"type": "object", "properties": properties, "required": [key for key, _ in keys]})

    form = sampler.between(0, 4)
    if form == 0:
        messages = [user(f"Return a JSON object with the keys {', '.join(values)}. {facts}")]
    elif form == 1:
        messages = [user(f"Extract {', '.join(values)} as JSON: {facts}")]
    elif form == 2:
        messages = [user(f"{facts}\n\nAnswer with JSON that matches this schema: {schema}")]
    elif form == 3:
        prompts = ["Respond only with JSON matching this schema: %s", "Reply in JSON using the schema %s"]
        messages = [system(sampler.choose(prompts) % schema), user(facts)]
    else:
        messages = [user(f"Convert to JSON: {facts}")]
        values = dict(told)  # without a list of keys, their order is that of the facts
    return [*messages, assistant(to_json(values))]


def _value(sampler: Sampler, kind: str) -> Any:
    makers = {
        "name": sampler.name,
        "integer": lambda: int(sampler.number()),
        "place": sampler.place,
        "email": lambda: sampler.address() + sampler.choose([".com", ".org", ".net"]),
        "phrase": lambda: sampler.phrase(1, 3),
        "decimal": lambda: round(sampler.random.uniform(0, 200), 1),
        "color": lambda: sampler.choose(COLORS),
        "boolean": lambda: sampler.chance(0.5),
        "word": sampler.word,
        "year": lambda: sampler.between(1900, 2030),
    }
    return makers[kind]()


def _plain(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
