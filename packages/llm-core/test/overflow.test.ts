import { describe, expect, test } from "vitest";

import {
  type ChatRequest,
  type FinishEvent,
  generate,
  LlmError,
  type Message,
  type Provider,
} from "../src/index.ts";
import { faultOf, finish, pluginOf, says, start, streamOf } from "./double.ts";

const user = (content: string): Message => ({ role: "user", content });
const assistant = (content: string): Message => ({ role: "assistant", content });

/** Takes as many characters as its window; says how many there were, or not. */
function narrow(window: number, told: boolean): { provider: Provider; seen: ChatRequest[] } {
  const seen: ChatRequest[] = [];
  const provider = pluginOf(() => ({
    stream: (request) => {
      seen.push(request);
      const promptTokens = request.messages.reduce(
        (sum, message) => sum + JSON.stringify(message.content).length - 2,
        0,
      );
      const figures = told ? { promptTokens, window } : undefined;
      const error = new LlmError("context-overflow", "too long", { figures });
      return promptTokens > window
        ? streamOf([], error)()
        : streamOf([[start, ...says("ok"), finish as FinishEvent]])();
    },
  })).create();
  return { provider, seen };
}

const conversation: Message[] = [
  { role: "system", content: "be brief" },
  ...[1, 2, 3, 4].flatMap((turn) => [
    user(`question ${turn} ${"x".repeat(20)}`),
    assistant(`answer ${turn}`),
  ]),
  user("the last question"),
];
const request = (more: Partial<ChatRequest> = {}): ChatRequest => ({
  model: "m",
  messages: conversation,
  ...more,
});

describe("a request that does not fit", () => {
  test("is an error by default", async () => {
    const { provider, seen } = narrow(80, true);
    expect(await faultOf(generate(provider, request()))).toMatchObject({ code: "context-overflow" });
    expect(seen).toHaveLength(1);
  });

  test.each([true, false])(
    "loses whole turns from the oldest when asked to (figures told: %s)",
    async (told) => {
      const { provider, seen } = narrow(80, told);
      const response = await generate(provider, request({ overflow: "drop-oldest" }));
      const kept = seen.at(-1)?.messages ?? [];
      expect(kept[0]).toEqual(conversation[0]);
      expect(kept[1]?.role).toBe("user");
      expect(kept.at(-1)).toEqual(conversation.at(-1));
      const dropped = conversation.length - kept.length;
      expect(response.warnings).toEqual([
        expect.objectContaining({
          code: "dropped",
          message: expect.stringMatching(new RegExp(`^${dropped} of`)),
        }),
      ]);
    },
  );

  test("asks fewer times where the figures are told", async () => {
    const [told, untold] = [narrow(30, true), narrow(30, false)];
    await generate(told.provider, request({ overflow: "drop-oldest" }));
    await generate(untold.provider, request({ overflow: "drop-oldest" }));
    expect(told.seen.length).toBeLessThan(untold.seen.length);
  });

  test("stays an error when the last turn alone is too long", async () => {
    const { provider } = narrow(10, true);
    expect(await faultOf(generate(provider, request({ overflow: "drop-oldest" })))).toMatchObject({
      code: "context-overflow",
    });
  });
});
