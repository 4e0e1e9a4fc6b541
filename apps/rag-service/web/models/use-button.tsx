import { useState } from "react";

import type { Model } from "../../src/api/schemas.ts";
import { type Problem, problemOf } from "../api/client.ts";
import { models } from "../api/models.ts";
import { putActive } from "../api/service.ts";
import { Trouble } from "../shell/trouble.tsx";

/** Chooses who is tried first. */
export function UseButton({ model, active }: { readonly model: Model; readonly active: boolean }) {
  const [problem, setProblem] = useState<Problem>();
  async function choose(): Promise<void> {
    try {
      setProblem(undefined);
      await putActive({ model: model.ref });
      await models.refresh();
    } catch (error) {
      setProblem(problemOf(error));
    }
  }
  if (active) return <span className="in-use">In use</span>;
  return (
    <>
      <button type="button" className="button small" onClick={() => void choose()}>
        Use<span className="sr-only"> {model.ref}</span>
      </button>
      {problem !== undefined && <Trouble problem={problem} again={() => void choose()} />}
    </>
  );
}
