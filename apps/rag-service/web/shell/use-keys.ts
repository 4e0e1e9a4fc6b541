import { useLayoutEffect, useRef } from "react";

type Keys = Readonly<Record<string, (() => void) | undefined>>;

/** Keys of the page. A letter that is being typed into a field is not one of them; Escape always is. */
export function useKeys(keys: Keys): void {
  const latest = useRef(keys);
  useLayoutEffect(() => {
    latest.current = keys;
  });
  useLayoutEffect(() => {
    function press(event: KeyboardEvent): void {
      if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing)
        return;
      if (event.key !== "Escape" && isTyping(event.target)) return;
      if (document.querySelector("dialog[open]") !== null) return;
      const deed = latest.current[event.key];
      if (deed === undefined) return;
      event.preventDefault();
      deed();
    }
    addEventListener("keydown", press);
    return () => removeEventListener("keydown", press);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && target.closest("input, textarea, select, [contenteditable]") !== null
  );
}
