import { FileCog } from "lucide-react";

import type { Problem } from "../api/client.ts";
import { createResource } from "../api/resource.ts";
import { listProviders } from "../api/service.ts";
import { CopyButton } from "../ask/copy-button.tsx";
import { Trouble } from "../shell/trouble.tsx";

export const providers = createResource(listProviders);

const words = {
  ok: "Ready",
  degraded: "In difficulty",
  down: "Not reachable",
  unknown: "Not checked",
} as const;

/** Who could run models here, and why somebody who is named in the application does not. */
export function Providers({ problems }: { readonly problems: readonly Problem[] }) {
  const { value, problem } = providers.use();
  const unused = value?.diagnostics.filter(({ status }) => status !== "used" && status !== "ignored") ?? [];
  return (
    <section aria-labelledby="providers-title">
      <h2 id="providers-title">Providers</h2>
      {problem !== undefined && <Trouble problem={problem} again={() => void providers.refresh()} />}
      <ul className="providers">
        {value?.providers.map(({ id, package: name, packageVersion, health }) => (
          <li key={id}>
            <p>
              <span className="entry-name">{id}</span>{" "}
              <span className="quiet">
                {name}
                {packageVersion !== undefined && ` ${packageVersion}`}
              </span>
              <span className="health" data-health={health.status}>
                {words[health.status]}
              </span>
            </p>
            {health.message !== undefined && health.status !== "ok" && (
              <p className="quiet">{health.message}</p>
            )}
            {health.hint !== undefined && health.status !== "ok" && <p className="quiet">{health.hint}</p>}
            {problems
              .filter(({ providerId }) => providerId === id)
              .filter(({ detail }) => detail !== health.message)
              .map(({ detail, hint }) => (
                <p key={detail} className="quiet">
                  {detail} {hint !== health.hint && hint}
                </p>
              ))}
          </li>
        ))}
        {unused.map(({ package: name, message, hint, status }) => (
          <li key={name}>
            <p>
              <span className="entry-name">{name}</span>
              <span className="health" data-health={status}>
                {status === "failed" ? "Failed" : "Not used"}
              </span>
            </p>
            <p className="quiet">
              {message} {hint}
            </p>
          </li>
        ))}
      </ul>
      <p className="quiet">
        Another backend, such as a running Ollama, is added by installing its provider package beside the
        service. Addresses, keys and who is asked first are set in a file, read at the start:
      </p>
      {value !== undefined && (
        <p className="folder">
          <FileCog className="icon" aria-hidden />
          <code>{value.configFile}</code>
          <CopyButton label="Copy path" text={() => value.configFile} />
        </p>
      )}
    </section>
  );
}
