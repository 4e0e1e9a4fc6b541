import { models } from "../api/models.ts";
import { setAnswering, useAnswering } from "./answering.ts";

const QUOTES = " quotes";

/** Who answers: the chosen model, another one, or nobody, when quotes alone are wanted. */
export function AnswererPicker() {
  const { value } = models.use();
  const answering = useAnswering();
  const chat = value?.models.filter(({ task, installed }) => installed && task === "chat") ?? [];
  const active = value?.active;
  const choice = answering.mode === "quote" ? QUOTES : (answering.model ?? "");
  const known = choice === "" || choice === QUOTES || chat.some(({ ref }) => ref === choice);

  function choose(next: string): void {
    if (next === QUOTES) setAnswering({ ...answering, mode: "quote", model: undefined });
    else setAnswering({ ...answering, mode: "auto", model: next === "" ? undefined : next });
  }

  return (
    <div className="answering">
      <label>
        <span className="sr-only">Answered by</span>
        <select value={choice} onChange={(event) => choose(event.target.value)}>
          <option value="">
            {active === undefined ? "Quotes, until there is a model" : `Automatic: ${active.model}`}
          </option>
          {chat.map(({ ref, demonstration }) => (
            <option key={ref} value={ref}>
              {demonstration ? `${ref} (demonstration)` : ref}
            </option>
          ))}
          {!known && <option value={choice}>{choice}</option>}
          <option value={QUOTES}>Quotes only, no model</option>
        </select>
      </label>
      <label className="check" title="Without this, leaving or reloading the page stops the model.">
        <input
          type="checkbox"
          checked={answering.detach}
          onChange={(event) => setAnswering({ ...answering, detach: event.target.checked })}
        />
        <span>Keep writing if I leave</span>
      </label>
    </div>
  );
}
