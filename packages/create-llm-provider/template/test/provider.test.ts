import { plainFake } from "@enginehouse/llm-conformance/fakes";
import { generate } from "@enginehouse/llm-core";
import { expect, it } from "vitest";

import { createAcme } from "../src/index.ts";

// What is special about your backend belongs here; what every provider promises is in conformance.test.ts.
it("answers through the server", async () => {
  const server = await plainFake.start({ chats: [{ steps: [{ text: "Good " }, { text: "morning." }] }] });
  const provider = createAcme({ baseUrl: server.address });
  try {
    const answer = await generate(provider, {
      model: server.models.chat,
      messages: [{ role: "user", content: "Hello" }],
    });
    expect(answer.text).toBe("Good morning.");
    expect(answer.finishReason.unified).toBe("stop");
  } finally {
    await provider.close();
    await server.close();
  }
});
