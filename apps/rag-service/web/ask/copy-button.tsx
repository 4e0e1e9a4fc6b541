import { Check, Copy } from "lucide-react";
import { useEffect, useState } from "react";

import { problemOf } from "../api/client.ts";

export function CopyButton({ label, text }: { readonly label: string; readonly text: () => string }) {
  const [state, setState] = useState("ready");
  useEffect(() => {
    if (state !== "copied") return undefined;
    const timer = setTimeout(() => setState("ready"), 2_000);
    return () => clearTimeout(timer);
  }, [state]);

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text());
      setState("copied");
    } catch (error) {
      setState(`Not copied: ${problemOf(error).detail}`);
    }
  }
  const words: Readonly<Record<string, string>> = { ready: label, copied: "Copied" };
  const Icon = state === "copied" ? Check : Copy;
  return (
    <button type="button" className="plain" onClick={() => void copy()}>
      <Icon className="icon" aria-hidden />
      <span aria-live="polite">{words[state] ?? state}</span>
    </button>
  );
}
