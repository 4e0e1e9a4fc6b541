import { count, duration, score } from "../figures.ts";
import { Link } from "../router.tsx";
import { shownTitle } from "../titles.ts";
import type { LiveRun } from "./run-reducer.ts";
import { documentAddress, placeOf } from "./sources.ts";

const searched = { hybrid: "by words and by meaning", lexical: "by words", dense: "by meaning" } as const;
const spoken: Readonly<Record<string, string>> = {
  system: "Instructions (system)",
  user: "Passages and question (user)",
  assistant: "Earlier answer (assistant)",
};

/** How an answer came about: who was asked, what was found, what was sent. */
export function RunDetails({ run }: { readonly run: LiveRun }) {
  const { attempts, hits, context, timings } = run;
  const given = new Map(context?.sources.map((source) => [source.chunkId, source]));
  const left = new Map(context?.dropped.map((source) => [source.chunkId, source.reason]));
  return (
    <div className="details">
      {attempts.length > 0 && (
        <section>
          <h3>Attempts</h3>
          <ol className="attempts">
            {attempts.map(({ attempt, providerId, model, status, durationMs, error }) => (
              <li key={attempt}>
                <span>
                  {providerId}/{model}
                </span>
                <span className="quiet figures" data-status={status}>
                  {status}
                  {durationMs !== undefined && ` after ${duration(durationMs)}`}
                </span>
                {error !== undefined && <p className="quiet">{error.detail}</p>}
              </li>
            ))}
          </ol>
        </section>
      )}
      {hits.length > 0 && (
        <section>
          <h3>
            Retrieval
            <span className="quiet figures">
              {run.retrievalMode !== undefined && searched[run.retrievalMode]}
              {timings.retrievalMs !== undefined && `, ${duration(timings.retrievalMs)}`}
            </span>
          </h3>
          <div className="table-scroll" tabIndex={0} role="group" aria-label="Retrieval scores">
            <table className="figures">
              <thead>
                <tr>
                  <th scope="col">Passage</th>
                  <th scope="col">Score</th>
                  <th scope="col">Words</th>
                  <th scope="col">Meaning</th>
                  <th scope="col">Given</th>
                </tr>
              </thead>
              <tbody>
                {hits.map((hit) => (
                  <tr key={hit.chunkId}>
                    <td>
                      <Link href={documentAddress(hit, `/ask/${run.runId}`)}>{shownTitle(hit.title)}</Link>
                      <span className="quiet"> {placeOf(hit)}</span>
                    </td>
                    <td>{score(hit.score.fused)}</td>
                    <td>{score(hit.score.lexical)}</td>
                    <td>{score(hit.score.dense)}</td>
                    <td title={left.get(hit.chunkId)}>
                      {givenAs(given.get(hit.chunkId)?.n, left.has(hit.chunkId))}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          </div>
          {[...new Set(left.values())].map((reason) => (
            <p key={reason} className="quiet">
              Left out: {reason}
            </p>
          ))}
        </section>
      )}
      {context !== undefined && (
        <section>
          <h3>
            Prompt sent
            <span className="quiet figures">
              {count(context.used)} tokens{context.counted === "estimate" && " (estimated)"},{" "}
              {count(context.reserved)} kept for the answer
            </span>
          </h3>
          {context.messages.map((message, index) => (
            <figure key={`${index} ${message.role}`} className="prompt">
              <figcaption className="quiet">{spoken[message.role] ?? message.role}</figcaption>
              <pre tabIndex={0} aria-label={`Message of the ${message.role}`}>
                {message.text}
              </pre>
            </figure>
          ))}
        </section>
      )}
    </div>
  );
}

function givenAs(n: number | undefined, dropped: boolean): string {
  if (n !== undefined) return `as ${n}`;
  return dropped ? "left out" : "–";
}
