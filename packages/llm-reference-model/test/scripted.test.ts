import { writeScriptedGguf, type Script } from "@enginehouse/llm-reference-model/scripted";
import { LlamaChatSession } from "node-llama-cpp";
import type { Llama } from "node-llama-cpp";
import { beforeAll, describe, expect, test } from "vitest";

import { engine, startChat, temporaryFolder, type Chat } from "./engine.ts";

const file = temporaryFolder();
let llama: Llama;
beforeAll(async () => {
  llama = await engine();
});

async function chatWith(script: Script, options: { contextWindow?: number } = {}): Promise<Chat> {
  const path = file(`${Math.random()}.gguf`);
  writeScriptedGguf(path, { script, ...options });
  return startChat(await llama.loadModel({ modelPath: path }), options.contextWindow);
}

describe("a scripted model, in the engine", () => {
  test("answers word for word, by the cue in the last user message", async () => {
    const chat = await chatWith([
      { when: "hello", say: "Hi there, how are you today?" },
      { when: "poem", say: "Roses are red,\n  violets are blue;\n\nso is the sea." },
      { say: "I do not know that word." },
    ]);
    expect(await chat.ask("hello")).toMatchObject({
      text: "Hi there, how are you today?",
      stopReason: "eogToken",
    });
    expect((await chat.ask("A poem, please!")).text).toBe(
      "Roses are red,\n  violets are blue;\n\nso is the sea.",
    );
    expect((await chat.ask("What is the capital of France?")).text).toBe("I do not know that word.");
    expect((await chat.ask("Well, hello again")).text).toBe("Hi there, how are you today?");
  });

  test("takes the last of several cues, and no cue from an earlier turn", async () => {
    const chat = await chatWith([
      { when: "red", say: "The red one." },
      { when: "blue", say: "The blue one." },
      { say: "Which one?" },
    ]);
    const filler = "and then, after a good while of thinking about it,";
    expect((await chat.ask(`not red ${filler} blue`)).text).toBe("The blue one.");
    expect((await chat.ask(`not blue ${filler} red`)).text).toBe("The red one.");
    expect((await chat.ask("x")).text).toBe("Which one?");
    expect((await chat.ask("blue")).text).toBe("The blue one.");
    expect((await chat.ask("")).text).toBe("Which one?");
  });

  test("takes no cue from the system prompt, the tools or a tool's result", async () => {
    const chat = await chatWith([
      { when: "helpful", say: "From the system prompt." },
      { when: "city", say: "From a tool." },
      { when: "look", call: { name: "get_weather", arguments: { city: "Rome" } }, after: { say: "Looked." } },
      { say: "Nothing." },
    ]);
    expect((await chat.ask("x", { tools: true })).text).toBe("Nothing.");
    await chat.ask("look", { tools: true });
    expect((await chat.answerTool("a helpful city")).text).toBe("Looked.");
  });

  test("finds its cue at any distance that its window allows", async () => {
    const chat = await chatWith([{ when: "hello", say: "Found." }, { say: "Lost." }], {
      contextWindow: 4096,
    });
    const words = (count: number) => "zebra ".repeat(count / 6);
    expect((await chat.ask(`${words(3000)} hello`)).text).toBe("Found.");
    expect((await chat.ask("hm")).text).toBe("Lost.");
  }, 30_000);

  test.each([
    ["one after the other", 250],
    ["in a short window", 40],
  ])(
    "keeps its turns apart, %s",
    async (_, turns) => {
      const contextWindow = turns > 100 ? 4096 : 1024;
      const chat = await chatWith([{ when: "up", say: "+" }, { when: "down", say: "-" }, { say: "?" }], {
        contextWindow,
      });
      const asked = Array.from(
        { length: turns },
        (_unused, turn) => ["up", "down", "x"][(turn * turn) % 3] ?? "x",
      );
      const answers: string[] = [];
      for (const cue of asked) answers.push((await chat.ask(cue)).text);
      const expected: Record<string, string> = { up: "+", down: "-", x: "?" };
      expect(answers.join("")).toBe(asked.map((cue) => expected[cue]).join(""));
    },
    60_000,
  );

  test("writes any characters, and words that come again", async () => {
    const say = 'é 日本 👍🏽 and the cat and the dog and the end; the end. {"a": [1, 1]}\t"naïve"';
    const chat = await chatWith([{ say }]);
    expect((await chat.ask("x")).text).toBe(say);
  });

  test("streams its answer in words, not in one piece", async () => {
    const chat = await chatWith([{ say: "one two three four five" }]);
    expect((await chat.ask("x")).tokens).toBe(5);
  });

  test("thinks first when the script says so", async () => {
    const chat = await chatWith([{ think: "The user wants a number.\nSeven is one.", say: "Seven." }]);
    expect(await chat.ask("A number?")).toMatchObject({
      text: "Seven.",
      thoughts: "The user wants a number.\nSeven is one.",
    });
  });

  test("calls a tool, and answers after its result", async () => {
    const call = { name: "get_weather", arguments: { city: "Paris" } };
    const chat = await chatWith([
      { when: "weather", call, after: { say: "It is sunny in Paris." } },
      {
        when: "sum",
        say: "Let me see.",
        call: { name: "add", arguments: { a: 12, b: 30 } },
        after: { say: "42." },
      },
      { say: "Hello." },
    ]);
    expect(await chat.ask("What is the weather?", { tools: true })).toMatchObject({
      calls: [{ name: "get_weather", params: { city: "Paris" } }],
      stopReason: "functionCalls",
    });
    expect((await chat.answerTool("sunny; the sum of it")).text).toBe("It is sunny in Paris.");
    const second = await chat.ask("And the sum?", { tools: true });
    expect(second.calls).toEqual([{ name: "add", params: { a: 12, b: 30 } }]);
    expect(second.text.trim()).toBe("Let me see.");
    expect((await chat.answerTool("42")).text).toBe("42.");
    expect((await chat.ask("Thanks", { tools: true })).text).toBe("Hello.");
  });

  test("calls several tools at once, also one tool twice", async () => {
    const paris = { name: "get_weather", arguments: { city: "Paris" } };
    const rome = { name: "get_weather", arguments: { city: "Rome" } };
    const sum = { name: "add", arguments: { a: 1, b: 2 } };
    const chat = await chatWith([
      { when: "both", call: [paris, sum], after: { say: "Sunny, and three." } },
      { when: "cities", call: [paris, rome, sum], after: { say: "Sunny everywhere." } },
      { when: "one", call: rome, after: { say: "Rome." } },
    ]);
    const called = ({ arguments: params, name }: typeof paris | typeof sum) => ({ name, params });
    expect((await chat.ask("both", { tools: true })).calls).toEqual([paris, sum].map(called));
    expect((await chat.answerTool("fine")).text).toBe("Sunny, and three.");
    expect((await chat.ask("cities", { tools: true })).calls).toEqual([paris, rome, sum].map(called));
    expect((await chat.answerTool("fine")).text).toBe("Sunny everywhere.");
    expect((await chat.ask("one", { tools: true })).calls).toEqual([called(rome)]);
  });

  test("keeps to its words under a grammar that allows them", async () => {
    const path = file("grammar.gguf");
    const say = '{"answer": 42, "why": "it is so"}';
    writeScriptedGguf(path, { script: [{ say }] });
    const model = await llama.loadModel({ modelPath: path });
    const properties = { answer: { type: "number" }, why: { type: "string" } } as const;
    const grammar = await llama.createGrammarForJsonSchema({ type: "object", properties });
    const context = await model.createContext({ contextSize: 512 });
    const session = new LlamaChatSession({ contextSequence: context.getSequence() });
    expect(await session.prompt("x", { grammar, temperature: 0 })).toBe(say);
  });

  test("goes on for ever until it is stopped", async () => {
    const chat = await chatWith([{ say: "and on and on ", forever: true }]);
    const answer = await chat.ask("Go", { maxTokens: 500 });
    expect(answer).toMatchObject({ stopReason: "maxTokens", tokens: 500 });
    expect(answer.text).toMatch(/^(and on and on )+/);
    const thinker = await chatWith([{ think: "and on", say: "on and on ", forever: true }]);
    const thought = await thinker.ask("Go", { maxTokens: 40 });
    expect(thought).toMatchObject({ thoughts: "and on", stopReason: "maxTokens" });
    expect(thought.text).toMatch(/^on and on on and on on and on /);
  });

  test("is slower when it is padded, and says the same", async () => {
    const path = file("padded.gguf");
    const small = writeScriptedGguf(file("small.gguf"), { script: [{ say: "The same." }] });
    const large = writeScriptedGguf(path, {
      script: [{ say: "The same." }],
      padding: { width: 1024, layers: 2 },
    });
    expect(large).toBeGreaterThan(10 * small);
    const chat = await startChat(await llama.loadModel({ modelPath: path }));
    expect((await chat.ask("x")).text).toBe("The same.");
  });
});

describe("a script that cannot be written is refused, with the reason", () => {
  test.each<[string, Script, RegExp]>([
    ["two rules without a cue", [{ say: "a" }, { say: "b" }], /at most one rule without `when`/],
    ["one cue twice", [{ when: "hello" }, { when: "hello" }], /Two rules have the cue "hello"/],
    [
      "one call twice",
      [
        {
          call: [
            { name: "add", arguments: { a: 1 } },
            { name: "add", arguments: { a: 1 } },
          ],
        },
      ],
      /the same arguments/,
    ],
    ["a cue of one letter", [{ when: "a" }], /"a" is too short/],
    ["forever without a text", [{ forever: true }], /`forever` repeats `say`/],
    [
      "too many rules",
      Array.from({ length: 64 }, (_, index) => ({ when: `cue ${index + 100}` })),
      /at most 63 rules/,
    ],
  ])("%s", (_, script, message) => {
    expect(() => writeScriptedGguf(file("refused.gguf"), { script })).toThrow(message);
  });

  test("a window that is too large", () => {
    expect(() => writeScriptedGguf(file("refused.gguf"), { script: [], contextWindow: 10_000 })).toThrow(
      /4096 tokens at most/,
    );
  });
});
