"""Tool calls in the Hermes style, and answers from their results."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .sampler import Message, Sampler, assistant, system, to_json, user

TOOLS_HEAD = """# Tools

You may call one or more functions to assist with the user query.

You are provided with function signatures within <tools></tools> XML tags:
<tools>"""
TOOLS_TAIL = """
</tools>

For each function call, return a json object with function name and arguments within <tool_call></tool_call> XML tags:
<tool_call>
{"name": <function-name>, "arguments": <args-json-object>}
</tool_call>"""


@dataclass(frozen=True)
class Parameter:
    name: str
    kind: str | list[str]
    """A JSON Schema type, or the values of an enumeration."""
    description: str
    make: Callable[[], Any]


@dataclass(frozen=True)
class Tool:
    name: str
    description: str
    parameters: list[Parameter]
    requests: list[str]
    """How a user asks for it, with the parameters' names in braces. The last one is for the held-out split."""


def tools(sampler: Sampler) -> list[Message]:
    """One or two calls; or none, when the user wants none or no tool fits."""
    given = pick_tools(sampler, sampler.choose([1, 1, 2, 2, 3, 4]))
    prompt = tools_prompt(sampler, given)
    kind = sampler.random.random()
    if kind < 0.15:
        phrase = sampler.phrase(1, 3)
        small_talk = [
            ("Hello", "Hello! How can I help you?"),
            ("Hi there!", "Hello! How can I help you?"),
            ("Thank you!", "You are welcome."),
            ("Thanks", "You are welcome."),
            (f"Repeat exactly: {phrase}", phrase),
        ]
        request, answer = sampler.choose(small_talk)
        return [prompt, user(request), assistant(answer)]
    if kind < 0.25:
        names = {tool.name for tool in given}
        others = [tool for tool in named_tools(sampler)[:14] if tool.name not in names]
        request, _ = make_request(sampler, sampler.choose(others))
        return [prompt, user(request), assistant("I don't have a tool for that.")]

    if kind < 0.42 and len(given) > 1:
        first, second = sampler.random.sample(given, 2)
    elif kind < 0.46:
        first = second = sampler.choose(given)
    else:
        tool = sampler.choose(given)
        request, arguments = make_request(sampler, tool)
        return [prompt, user(request), assistant(call_text(tool, arguments))]
    (request, arguments), (other_request, other_arguments) = (
        make_request(sampler, first),
        make_request(sampler, second),
    )
    both = sampler.choose(["%s %s", "%s Also: %s", "%s And then: %s"]) % (request, other_request)
    calls = call_text(first, arguments) + "\n" + call_text(second, other_arguments)
    return [prompt, user(both), assistant(calls)]


def tool_result(sampler: Sampler) -> list[Message]:
    """A call, its result, and a sentence that says it."""
    given = pick_tools(sampler, sampler.choose([1, 1, 2, 3]))
    tool = sampler.choose(given)
    request, arguments = make_request(sampler, tool)
    before = [tools_prompt(sampler, given), user(request), assistant(call_text(tool, arguments))]
    kind = sampler.random.random()
    if kind < 0.45:
        names = ["temperature", "result", "status", "value", "time", "count", "id", "title", "state"]
        result = {}
        for name in sampler.random.sample(names, sampler.between(1, 3)):
            makers = [
                lambda: int(sampler.number()),
                sampler.word,
                lambda: sampler.number(30) + ":" + sampler.number(59),
            ]
            result[name] = sampler.choose(makers)()
        answer = " ".join(f"The {name} is {value}." for name, value in result.items())
        content = to_json(result)
    elif kind < 0.75:
        content = sampler.choose([sampler.number(), sampler.word(), sampler.phrase(2, 4)])
        answer = f"The result is {content}."
        if sampler.chance(0.5) and not content.isdigit():
            content = to_json(content)
    elif kind < 0.85:
        error = sampler.phrase(1, 3)
        content, answer = to_json({"error": error}), f"The tool failed: {error}."
    else:
        content = answer = sampler.choose(sampler.sentences)
    return [*before, {"role": "tool", "content": content}, assistant(answer)]


def call_text(tool: Tool, arguments: dict[str, Any]) -> str:
    return f'<tool_call>\n{{"name": "{tool.name}", "arguments": {to_json(arguments)}}}\n</tool_call>'


def tools_prompt(sampler: Sampler, given: list[Tool]) -> Message:
    specifications = [{"type": "function", "function": specification(sampler, tool)} for tool in given]
    helpful = "You are a helpful assistant.\n\n"
    before = sampler.choose([helpful, "", "You can use tools.\n\n", helpful])
    lines = "".join("\n" + to_json(one) for one in specifications)
    return system(before + TOOLS_HEAD + lines + TOOLS_TAIL)


def specification(sampler: Sampler, tool: Tool) -> dict[str, Any]:
    """The tool as JSON Schema; now and then a parameter is not described."""
    properties: dict[str, dict[str, Any]] = {}
    for parameter in tool.parameters:
        kind = parameter.kind
        schema = {"type": "string", "enum": kind} if isinstance(kind, list) else {"type": kind}
        if sampler.chance(0.8):
            schema["description"] = parameter.description
        properties[parameter.name] = schema
    required = [parameter.name for parameter in tool.parameters]
    return {
        "name": tool.name,
        "description": tool.description,
        "parameters": {"type": "object", "properties": properties, "required": required},
    }


def make_request(sampler: Sampler, tool: Tool) -> tuple[str, dict[str, Any]]:
    """What the user says, and the arguments that are meant."""
    arguments = {parameter.name: parameter.make() for parameter in tool.parameters}
    spoken = {}
    for name, value in arguments.items():
        spoken[name] = str(value)
        if isinstance(value, bool):
            spoken[name] = "on" if value else "off"
    return sampler.template(tool.requests).format(**spoken), arguments


def pick_tools(sampler: Sampler, count: int) -> list[Tool]:
    """Tools with different names."""
    available = named_tools(sampler)
    sampler.random.shuffle(available)
    # Decides nothing. It keeps the random numbers in step with the samples that the weights were trained on.
    sampler.chance(0.35)
    picked: list[Tool] = []
    for tool in available:
        if tool.name not in {one.name for one in picked}:
            picked.append(tool)
        if len(picked) == count:
            break
    return picked


def named_tools(sampler: Sampler) -> list[Tool]:
    """The tools that there are: fourteen with fixed names and two with made-up ones."""

    def numbers(low: int, high: int) -> Callable[[], int]:
        return lambda: sampler.between(low, high)

    def phrases(fewest: int, most: int) -> Callable[[], str]:
        return lambda: sampler.phrase(fewest, most)

    def one_of(*options: str) -> Callable[[], str]:
        return lambda: sampler.choose(options)

    def path() -> str:
        folders = "/".join(sampler.word() for _ in range(sampler.between(1, 3)))
        return folders + sampler.choose([".txt", ".md", ".json"])

    city = sampler.place
    units = ["celsius", "fahrenheit"]
    priorities = ["low", "medium", "high"]
    languages = one_of("French", "German", "Spanish", "Italian", "Japanese", "Polish")
    rooms = one_of("kitchen", "bedroom", "office", "garage", "hall", "bathroom", "cellar")

    available = [
        Tool(
            "get_weather",
            "Get the current weather for a city",
            [Parameter("city", "string", "City name", city)],
            [
                "What is the weather in {city}?",
                "How is the weather in {city}?",
                "Weather in {city}?",
                "Tell me the weather for {city}.",
                "Is it raining in {city}?",
            ],
        ),
        Tool(
            "get_weather",
            "Get the weather of a city",
            [
                Parameter("city", "string", "The city", city),
                Parameter("unit", units, "Temperature unit", one_of(*units)),
            ],
            [
                "What is the weather in {city} in {unit}?",
                "Weather in {city}, in {unit} please.",
                "Give me the {unit} temperature in {city}.",
                "Use {unit}: how warm is {city}?",
            ],
        ),
        Tool(
            "add",
            "Add two numbers",
            [
                Parameter("a", "number", "First number", numbers(0, 500)),
                Parameter("b", "number", "Second number", numbers(0, 500)),
            ],
            [
                "What is {a} plus {b}?",
                "Add {a} and {b}.",
                "Compute {a} + {b}.",
                "Sum {a} and {b}.",
                "Please add {a} to {b}.",
            ],
        ),
        Tool(
            "multiply",
            "Multiply two numbers",
            [
                Parameter("a", "number", "First number", numbers(0, 99)),
                Parameter("b", "number", "Second number", numbers(0, 99)),
            ],
            ["What is {a} times {b}?", "Multiply {a} by {b}.", "Compute {a} * {b}.", "Product of {a} and {b}?"],
        ),
        Tool(
            "search_documents",
            "Search the document store",
            [Parameter("query", "string", "Search query", phrases(1, 3))],
            [
                "Search for {query}.",
                "Find documents about {query}.",
                "Look up {query} in the documents.",
                "Search the documents for {query}.",
                "Which documents mention {query}?",
            ],
        ),
        Tool(
            "search_documents",
            "Search documents",
            [
                Parameter("query", "string", "Query text", phrases(1, 2)),
                Parameter("limit", "integer", "Maximum number of results", numbers(1, 20)),
            ],
            [
                "Find {limit} documents about {query}.",
                "Search for {query}, at most {limit} results.",
                "Give me {limit} results for {query}.",
                "Search {query} with limit {limit}.",
            ],
        ),
        Tool(
            "send_email",
            "Send an email",
            [
                Parameter("to", "string", "Recipient", lambda: sampler.address() + ".com"),
                Parameter("subject", "string", "Subject line", phrases(1, 3)),
            ],
            [
                "Send an email to {to} with subject {subject}.",
                "Email {to} about {subject}.",
                "Write to {to} with the subject {subject}.",
                "Mail {to}, subject {subject}.",
            ],
        ),
        Tool(
            "set_timer",
            "Set a timer",
            [Parameter("minutes", "integer", "Minutes", numbers(1, 120))],
            [
                "Set a timer for {minutes} minutes.",
                "Start a {minutes} minute timer.",
                "Timer for {minutes} minutes please.",
                "Wake me in {minutes} minutes.",
            ],
        ),
        Tool(
            "set_light",
            "Switch a light on or off",
            [
                Parameter("room", "string", "Room", rooms),
                Parameter("on", "boolean", "True to switch on", lambda: sampler.chance(0.5)),
            ],
            [
                "Turn {on} the light in the {room}.",
                "Switch {on} the {room} light.",
                "Please turn the {room} light {on}.",
                "Light {on} in the {room}.",
            ],
        ),
        Tool(
            "get_time",
            "Get the current time in a time zone",
            [Parameter("timezone", "string", "Time zone or city", city)],
            [
                "What time is it in {timezone}?",
                "Current time in {timezone}?",
                "Tell me the time in {timezone}.",
                "What is the local time for {timezone}?",
            ],
        ),
        Tool(
            "create_task",
            "Create a task",
            [
                Parameter("title", "string", "Title of the task", phrases(1, 3)),
                Parameter("priority", priorities, "Priority", one_of(*priorities)),
            ],
            [
                "Create a {priority} priority task: {title}.",
                "Add a task {title} with {priority} priority.",
                "New {priority} task called {title}.",
                "Make a task {title}, priority {priority}.",
            ],
        ),
        Tool(
            "get_user",
            "Look up a user by name",
            [Parameter("name", "string", "User name", sampler.name)],
            [
                "Look up the user {name}.",
                "Who is the user {name}?",
                "Find user {name}.",
                "Get the profile of {name}.",
            ],
        ),
        Tool(
            "translate",
            "Translate text",
            [
                Parameter("text", "string", "Text", phrases(1, 3)),
                Parameter("language", "string", "Target language", languages),
            ],
            [
                "Translate {text} into {language}.",
                "Translate {text} to {language}.",
                "How do you say {text} in {language}?",
                "Put {text} into {language}.",
            ],
        ),
        Tool(
            "read_file",
            "Read a file",
            [Parameter("path", "string", "Path of the file", path)],
            ["Read the file {path}.", "Open {path}.", "Show me the content of {path}.", "Print {path}."],
        ),
    ]
    verb, thing, key = sampler.word(), sampler.word(), sampler.word()
    for kind, make in (("string", sampler.word), ("integer", lambda: int(sampler.number()))):
        available.append(
            Tool(
                f"{verb}_{thing}",
                f"{verb.capitalize()} the {thing}",
                [Parameter(key, kind, f"The {key}", make)],
                [
                    f"{verb.capitalize()} the {thing} with {key} {{{key}}}.",
                    f"Please {verb} the {thing}, {key} {{{key}}}.",
                ],
            )
        )
    return available
