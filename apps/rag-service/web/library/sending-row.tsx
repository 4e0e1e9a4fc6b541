import { X } from "lucide-react";

import { bytes } from "../figures.ts";
import { Trouble } from "../shell/trouble.tsx";
import { dismiss, type Sending, sendAgain } from "./library.ts";

export function SendingRow({ sending }: { readonly sending: Sending }) {
  const { file, problem, unchanged } = sending;
  return (
    <li className="sending">
      <p>
        <span className="document-title">{file.name}</span>
        <span className="quiet figures">{bytes(file.size)}</span>
        <button
          type="button"
          className="icon-button"
          onClick={() => dismiss(sending)}
          title="Take off this list"
        >
          <X className="icon" aria-hidden />
          <span className="sr-only">Take {file.name} off this list</span>
        </button>
      </p>
      {unchanged === true && (
        <p className="quiet">Already in the library, with the same content. Nothing to do.</p>
      )}
      {problem !== undefined && (
        <Trouble
          problem={problem}
          again={problem.retryable === false ? undefined : () => sendAgain(sending)}
        />
      )}
      {problem === undefined && unchanged !== true && (
        <>
          <p className="quiet">Sending</p>
          <progress aria-label={`Sending ${file.name}`} />
        </>
      )}
    </li>
  );
}
