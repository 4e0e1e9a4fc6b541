import { X } from "lucide-react";
import { useEffect, useRef } from "react";

const keys: readonly (readonly [keys: readonly string[], deed: string])[] = [
  [["/"], "Go to the question"],
  [["Enter"], "Ask"],
  [["Shift", "Enter"], "Break the line"],
  [["Esc"], "Stop the answer, or close the source"],
  [["["], "Previous source"],
  [["]"], "Next source"],
  [["?"], "Show these keys"],
];

export function KeysDialog({ close }: { readonly close: () => void }) {
  const dialog = useRef<HTMLDialogElement>(null);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog ref={dialog} className="keys" aria-labelledby="keys-title" onClose={close}>
      <header>
        <h2 id="keys-title">Keys</h2>
        <button type="button" className="icon-button" onClick={() => dialog.current?.close()}>
          <X className="icon" aria-hidden />
          <span className="sr-only">Close</span>
        </button>
      </header>
      <dl>
        {keys.map(([press, deed]) => (
          <div key={deed}>
            <dt>
              {press.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{deed}</dd>
          </div>
        ))}
      </dl>
    </dialog>
  );
}
