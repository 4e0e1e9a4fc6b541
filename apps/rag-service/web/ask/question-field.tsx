import { ArrowRight, Square } from "lucide-react";
import {
  type FormEvent,
  type KeyboardEvent,
  type RefObject,
  useEffect,
  useLayoutEffect,
  useState,
} from "react";

import { AnswererPicker } from "./answerer-picker.tsx";

interface QuestionFieldProps {
  readonly field: RefObject<HTMLTextAreaElement | null>;
  readonly question: string;
  readonly running: boolean;
  readonly send: (question: string) => void;
  readonly stop: () => void;
}

const DRAFT = "enginehouse.draft";

/** The question, which stays where it was asked: it is the heading of its answer and can be changed and asked anew. */
export function QuestionField({ field, question, running, send, stop }: QuestionFieldProps) {
  const [text, setText] = useState(question === "" ? readDraft : question);
  const [shown, setShown] = useState(question);
  if (shown !== question) {
    setShown(question);
    setText(question);
  }
  useEffect(() => keepDraft(text === question ? "" : text), [text, question]);
  useLayoutEffect(() => {
    function fit(): void {
      const height = (value: string) => field.current?.style.setProperty("height", value);
      height("auto");
      height(`${field.current?.scrollHeight ?? 0}px`);
    }
    fit();
    addEventListener("resize", fit);
    return () => removeEventListener("resize", fit);
  }, [text, field]);

  function ask(): void {
    if (text.trim() === "") return field.current?.focus();
    field.current?.blur();
    send(text.trim());
  }
  function submit(event: FormEvent): void {
    event.preventDefault();
    ask();
  }
  function press(event: KeyboardEvent): void {
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    ask();
  }

  return (
    <form className="question" onSubmit={submit}>
      <label className="sr-only" htmlFor="question">
        Your question
      </label>
      <textarea
        ref={field}
        id="question"
        name="question"
        rows={1}
        value={text}
        placeholder="What do you want to know?"
        autoFocus={question === "" && matchMedia("(pointer: fine)").matches}
        enterKeyHint="send"
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
        onBlur={(event) => event.currentTarget.scrollTo(0, 0)}
      />
      <div className="question-foot">
        <AnswererPicker />
        {running ? (
          <button type="button" className="button" onClick={stop}>
            <Square className="icon" aria-hidden />
            Stop
          </button>
        ) : (
          <button type="submit" className={text.trim() === "" ? "button" : "button primary"}>
            Ask
            <ArrowRight className="icon" aria-hidden />
          </button>
        )}
      </div>
    </form>
  );
}

function readDraft(): string {
  try {
    return sessionStorage.getItem(DRAFT) ?? "";
  } catch {
    return "";
  }
}

function keepDraft(text: string): void {
  try {
    sessionStorage.setItem(DRAFT, text);
  } catch {
    // A reload then forgets what was typed.
  }
}
