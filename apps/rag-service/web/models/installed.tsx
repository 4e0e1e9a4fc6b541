import type { Model, ModelList } from "../../src/api/schemas.ts";
import { bytes, count } from "../figures.ts";
import { UseButton } from "./use-button.tsx";

const tasks: Readonly<Record<Model["task"], string>> = {
  chat: "Writes answers",
  embedding: "Searches by meaning",
  rerank: "Sorts passages",
  unknown: "Not known",
};

/** What is there, by the provider that runs it. */
export function Installed({ list: { models, active } }: { readonly list: ModelList }) {
  const installed = models.filter((model) => model.installed);
  const names = [...new Set(installed.map(({ providerId }) => providerId))];
  return (
    <section aria-labelledby="installed-title">
      <h2 id="installed-title">Installed</h2>
      {installed.length === 0 && <p className="quiet">No model is installed.</p>}
      {names.map((providerId) => (
        <div
          key={providerId}
          className="table-scroll"
          tabIndex={0}
          role="group"
          aria-label={`Models of ${providerId}`}
        >
          <table className="installed">
            <thead>
              <tr>
                <th scope="col">{providerId}</th>
                <th scope="col">Purpose</th>
                <th scope="col">Size</th>
                <th scope="col">Context, tokens</th>
                <th scope="col">
                  <span className="sr-only">Use</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {installed
                .filter((model) => model.providerId === providerId)
                .map((model) => (
                  <tr key={model.ref}>
                    <th scope="row">
                      <span>{model.name}</span>
                      <span className="quiet">
                        {[
                          model.demonstration ? "demonstration" : undefined,
                          model.quantization,
                          model.license,
                          model.loaded === true ? "in memory" : undefined,
                        ]
                          .filter((fact) => fact !== undefined)
                          .join(" · ")}
                      </span>
                    </th>
                    <td>{tasks[model.task]}</td>
                    <td className="figures number">{model.bytes === undefined ? "–" : bytes(model.bytes)}</td>
                    <td className="figures number">
                      {model.contextWindow === undefined ? "–" : count(model.contextWindow)}
                    </td>
                    <td className="deed">
                      {(model.task === "chat" || model.task === "unknown") && model.problem === undefined && (
                        <UseButton model={model} active={model.ref === active?.ref} />
                      )}
                    </td>
                  </tr>
                ))}
            </tbody>
          </table>
        </div>
      ))}
    </section>
  );
}
