import { Plus } from "lucide-react";
import { useState } from "react";

import { type Problem, problemOf } from "../api/client.ts";
import { examples } from "../api/examples.ts";
import { bytes } from "../figures.ts";
import { Trouble } from "../shell/trouble.tsx";
import { addAllExamples } from "./library.ts";

/** Documents to try it with: in full view while the library is empty, folded away after that. */
export function Examples({ prominent }: { readonly prominent: boolean }) {
  const { value } = examples.use();
  const [problem, setProblem] = useState<Problem>();
  const [busy, setBusy] = useState(false);
  const offered = value?.examples.filter(({ documentId }) => documentId === undefined) ?? [];
  if (offered.length === 0) return null;

  async function add(ids?: readonly string[]): Promise<void> {
    setBusy(true);
    setProblem(undefined);
    try {
      await addAllExamples(ids);
    } catch (error) {
      setProblem(problemOf(error));
    } finally {
      setBusy(false);
    }
  }

  const list = (
    <>
      <ul>
        {offered.map(({ id, title, description, bytes: size }) => (
          <li key={id}>
            <p>
              {title} <span className="quiet figures">{bytes(size)}</span>
            </p>
            <p className="quiet">{description}</p>
            <button type="button" className="button small" disabled={busy} onClick={() => void add([id])}>
              <Plus className="icon" aria-hidden />
              Add<span className="sr-only"> {title}</span>
            </button>
          </li>
        ))}
      </ul>
      {offered.length > 1 && (
        <button
          type="button"
          className="button"
          disabled={busy}
          onClick={() => void add(offered.map(({ id }) => id))}
        >
          {busy ? "Adding" : "Add all examples"}
        </button>
      )}
      {problem !== undefined && <Trouble problem={problem} again={() => void add()} />}
    </>
  );
  if (!prominent) {
    return (
      <details className="examples">
        <summary>Example documents</summary>
        {list}
      </details>
    );
  }
  return (
    <section className="examples" aria-labelledby="examples-title">
      <h2 id="examples-title">Nothing at hand? Begin with an example</h2>
      {list}
    </section>
  );
}
