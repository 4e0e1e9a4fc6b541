import type { Model } from "../../src/api/schemas.ts";
import { models } from "../api/models.ts";
import { setAnswering, useAnswering } from "./answering.ts";

const QUOTES = " quotes";

/** Who answers: the chosen model, another one, or nobody, when quotes alone are wanted. */
export function AnswererPicker() {
  const { value } = models.use();
  const answering = useAnswering();
  const chat = value?.models.filter(canBeAsked) ?? [];
  const names = [...new Set(chat.map(({ providerId }) => providerId))];
  // Who could not be asked for models is named too, with what to do about it.
  const down = (value?.problems ?? []).filter(
    ({ providerId }) => providerId !== undefined && !names.includes(providerId),
  );
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
          {names.map((name) => (
            <optgroup key={name} label={name}>
              {chat
                .filter(({ providerId }) => providerId === name)
                .map(({ ref, demonstration }) => (
                  <option key={ref} value={ref}>
                    {demonstration ? `${ref} (demonstration)` : ref}
                  </option>
                ))}
            </optgroup>
          ))}
          {down.map(({ providerId, detail, hint }) => (
            <optgroup key={providerId} label={`${providerId}: no models now`}>
              <option disabled>{reason(hint ?? detail)}</option>
            </optgroup>
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

/** What a model is for is not always known; whoever chooses it by hand knows. */
function canBeAsked({ installed, task, problem }: Model): boolean {
  return installed && (task === "chat" || task === "unknown") && problem === undefined;
}

/** A line of a menu has no room for more. */
function reason(text: string): string {
  const plain = text.replaceAll("`", "").trim();
  const sentence = plain.charAt(0).toUpperCase() + plain.slice(1);
  return sentence.length > 90 ? `${sentence.slice(0, 89).trimEnd()}…` : sentence;
}
