import type { AnyPlugin } from "@enginehouse/llm-core";

import { referencePlugin } from "../reference/plugin.ts";

/** The reference, which leaves something when it is closed. For a process of its own: it would be in everybody's way. */
export const leftAfterClose = (leave: () => void): AnyPlugin =>
  referencePlugin({
    outside: (provider) => ({
      ...provider,
      async close() {
        await provider.close();
        leave();
      },
    }),
  });
