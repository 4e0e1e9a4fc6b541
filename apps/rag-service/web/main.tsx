import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/reading.css";
import { problemOf } from "./api/client.ts";
import { App } from "./shell/app.tsx";
import { Trouble } from "./shell/trouble.tsx";

const root = document.getElementById("root");
if (root === null) throw new Error("The page has no #root to draw into.");

createRoot(root, { onUncaughtError: showFault }).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

/** React has taken the page away; what is left to do is to say why. */
function showFault(error: unknown): void {
  const place = document.createElement("div");
  document.body.replaceChildren(place);
  createRoot(place).render(
    <main className="page">
      <Trouble problem={problemOf(error)} again={() => location.reload()} againLabel="Reload" />
    </main>,
  );
}
