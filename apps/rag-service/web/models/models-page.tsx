import "./models.css";
import { FolderOpen, RefreshCw } from "lucide-react";
import { useEffect } from "react";

import type { Model, ModelList } from "../../src/api/schemas.ts";
import { onSettled, useJobs } from "../api/jobs.ts";
import { models } from "../api/models.ts";
import { CopyButton } from "../ask/copy-button.tsx";
import { bytes, count } from "../figures.ts";
import { Trouble } from "../shell/trouble.tsx";
import { Catalogue } from "./catalogue.tsx";
import { Installed } from "./installed.tsx";
import { providers, Providers } from "./providers.tsx";

export function ModelsPage() {
  const { value, problem, loading } = models.use();
  const { value: known } = providers.use();
  const readsFiles = known?.providers.some(({ modelFormats }) => modelFormats.includes("gguf")) !== false;
  const jobs = useJobs();
  useEffect(() => {
    void models.refresh();
    return onSettled((job) => {
      if (job === undefined || job.kind === "download") void models.refresh();
    });
  }, []);

  return (
    <div className="page models">
      <header className="models-head">
        <h1 className="page-title">Models</h1>
        <button
          type="button"
          className="button small"
          disabled={loading}
          onClick={() => void Promise.all([models.refresh(), providers.refresh()])}
        >
          <RefreshCw className="icon" aria-hidden />
          Look again
        </button>
      </header>
      {problem !== undefined && <Trouble problem={problem} again={() => void models.refresh()} />}
      {value === undefined && problem === undefined && <p className="quiet">Asking the providers</p>}
      {value !== undefined && (
        <>
          <Active list={value} />
          <Catalogue
            entries={value.catalogue}
            jobs={[...jobs.values()]}
            demonstration={value.active?.demonstration !== false}
          />
          <section aria-labelledby="folder-title">
            <h2 id="folder-title">A model file of your own</h2>
            {readsFiles ? (
              <>
                <p>Put a GGUF file into this folder, then look again. It is used where it lies.</p>
                <p className="folder">
                  <FolderOpen className="icon" aria-hidden />
                  <code>{value.modelsFolder}</code>
                  <CopyButton label="Copy path" text={() => value.modelsFolder} />
                </p>
              </>
            ) : (
              <p>
                No installed provider reads model files. Install one that does, or use a model of a server
                below.
              </p>
            )}
          </section>
          <Installed list={value} />
        </>
      )}
      <Providers problems={value?.problems ?? []} />
    </div>
  );
}

function factsOf(providerId: string, model: Model | undefined): readonly string[] {
  const size = model?.bytes === undefined ? undefined : bytes(model.bytes);
  const window =
    model?.contextWindow === undefined ? undefined : `${count(model.contextWindow)} tokens of context`;
  return [`Runs in ${providerId}`, size, window].filter((fact) => fact !== undefined);
}

function Active({ list: { active, models: all } }: { readonly list: ModelList }) {
  const model = all.find(({ ref }) => ref === active?.ref);
  return (
    <section className="active" aria-labelledby="active-title">
      <h2 id="active-title">Answers the next question</h2>
      {active === undefined ? (
        <p>No model. Answers are quotes from your documents, word for word.</p>
      ) : (
        <>
          <p className="active-name">{model?.name ?? active.model}</p>
          <p className="quiet figures">{factsOf(active.providerId, model).join(" · ")}</p>
          {active.demonstration && (
            <p className="demonstration">
              Demonstration model: knows nothing, shows how answers with sources work. Get a real one below.
            </p>
          )}
        </>
      )}
    </section>
  );
}
