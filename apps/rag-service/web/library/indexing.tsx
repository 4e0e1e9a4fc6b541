import { useEffect, useState } from "react";

import type { Job } from "../../src/api/schemas.ts";
import { type Problem, problemOf } from "../api/client.ts";
import { isActive, onSettled, useJobs } from "../api/jobs.ts";
import { createResource } from "../api/resource.ts";
import { listJobs, retryJob } from "../api/service.ts";
import { Trouble } from "../shell/trouble.tsx";
import { PREPARING, stageText } from "./stages.ts";

/** The latest job that made vectors; there is none while every document has them from the start. */
const latest = createResource(async () => {
  const { jobs } = await listJobs();
  return { job: jobs.find(({ kind }) => kind === "index") };
});

/** Says that the search by meaning is not complete, and offers to try again when it failed. */
export function Indexing() {
  const { value } = latest.use();
  const jobs = useJobs();
  const [problem, setProblem] = useState<Problem>();
  useEffect(() => {
    void latest.refresh();
    return onSettled((job) => {
      if (job === undefined || job.kind !== "download") void latest.refresh();
    });
  }, []);

  const running = [...jobs.values()].findLast((job) => job.kind === "index" && isActive(job));
  const job = running ?? value?.job;
  if (job === undefined) return null;
  if (isActive(job)) return <Progress job={job} />;
  if (job.status !== "failed" || job.error === undefined) return null;

  async function again(id: string): Promise<void> {
    try {
      setProblem(undefined);
      await retryJob(id);
      await latest.refresh();
    } catch (error) {
      setProblem(problemOf(error));
    }
  }
  const shown = problem ?? {
    ...job.error,
    title: "The search by meaning is not complete: words alone find the rest",
  };
  return (
    <div className="indexing">
      <Trouble problem={shown} again={() => void again(job.id)} />
    </div>
  );
}

function Progress({ job }: { readonly job: Job }) {
  const step = stageText(job);
  const text = step.startsWith(PREPARING) ? step.replace(PREPARING, `${PREPARING} by meaning`) : step;
  const value = job.total === undefined || job.total === 0 ? undefined : job.done / job.total;
  return (
    <div className="document-progress indexing">
      <p className="quiet figures">{text}. Until then words alone find what is new.</p>
      <progress {...(value === undefined ? {} : { value, max: 1 })} aria-label={text} />
    </div>
  );
}
