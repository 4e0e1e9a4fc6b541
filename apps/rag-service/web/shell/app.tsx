import "./shell.css";
import { type ComponentType, lazy, Suspense, useEffect, useState } from "react";

import { AskPage } from "../ask/ask-page.tsx";
import { usePlace } from "../router.tsx";
import { DropZone } from "./drop-zone.tsx";
import { KeysDialog } from "./keys-dialog.tsx";
import { NotFound } from "./not-found.tsx";
import { Rail } from "./rail.tsx";
import { useKeys } from "./use-keys.ts";

const LibraryPage = lazy(async () => ({
  default: (await import("../library/library-page.tsx")).LibraryPage,
}));
const DocumentPage = lazy(async () => ({
  default: (await import("../document/document-page.tsx")).DocumentPage,
}));
const ModelsPage = lazy(async () => ({ default: (await import("../models/models-page.tsx")).ModelsPage }));

const pages: readonly [pattern: RegExp, title: string, page: ComponentType<{ id: string }>][] = [
  [/^\/$/, "Ask", AskPage],
  [/^\/ask\/([^/]+)$/, "Ask", AskPage],
  [/^\/library$/, "Library", LibraryPage],
  [/^\/documents\/([^/]+)$/, "Document", DocumentPage],
  [/^\/models$/, "Models", ModelsPage],
];

export function App() {
  const { path } = usePlace();
  const [keysShown, showKeys] = useState(false);
  useKeys({ "?": () => showKeys(true) });

  const found = pages.find(([pattern]) => pattern.test(path));
  const [pattern, title, Page] = found ?? [/^/, "Not found", NotFound];
  const id = decodeURIComponent(pattern.exec(path)?.[1] ?? "");
  useEffect(() => {
    document.title = `${title} · Enginehouse`;
  }, [title]);

  return (
    <div className="shell">
      <a className="skip" href="#main">
        Skip to the page
      </a>
      <Rail showKeys={() => showKeys(true)} />
      <main id="main" tabIndex={-1}>
        <Suspense fallback={<p className="page-loading quiet">Opening {title.toLowerCase()}</p>}>
          <Page id={id} />
        </Suspense>
      </main>
      <DropZone />
      {keysShown && <KeysDialog close={() => showKeys(false)} />}
    </div>
  );
}
