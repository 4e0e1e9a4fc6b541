import { LlmError } from "@enginehouse/llm-core";

/** What `pullModel` can fetch. */
export type PullReference =
  | {
      readonly kind: "hub";
      readonly repository: string;
      readonly revision: string;
      /** The file, where the reference names one. */
      readonly file: string | undefined;
      /** `Q4_K_M`, where it names that. */
      readonly quantization: string | undefined;
    }
  | { readonly kind: "url"; readonly url: URL };

const FORMS =
  "hf:user/repository, hf:user/repository:Q4_K_M, hf:user/repository/file.gguf or https://host/file.gguf";

/** Reads a reference. Throws `invalid-request` for what is none. */
export function readReference(text: string): PullReference {
  if (/^hf:/i.test(text)) return readHubReference(text);
  if (/^https?:\/\//i.test(text)) return { kind: "url", url: readUrl(text) };
  throw new LlmError(
    "model-not-found",
    `"${text}" is not installed, and it is no reference to fetch it from`,
    {
      phase: "pull",
      hint: `References look like ${FORMS}; the catalogue has some.`,
    },
  );
}

/** Where a reference's file goes, below the models folder. Every step is a plain name. */
export function targetPath(reference: PullReference, file: string): string {
  if (reference.kind === "hub")
    return [...reference.repository.split("/"), ...file.split("/")].map(plainName).join("/");
  const { host, pathname } = reference.url;
  const steps = pathname.split("/").filter((step) => step !== "");
  return [host.replaceAll(/[:[\]]/g, "_"), ...steps.map(decode)].map(plainName).join("/");
}

/** The file that a reference names by itself; `undefined` when only the hub can tell. */
export function ownTarget(reference: PullReference): string | undefined {
  if (reference.kind === "url") return targetPath(reference, "");
  return reference.file === undefined ? undefined : targetPath(reference, reference.file);
}

/** Whether a file's name says that it has this quantization. */
export function hasQuantization(name: string, quantization: string): boolean {
  const escaped = quantization.replaceAll(".", "\\.");
  return new RegExp(`(?:^|[-._/])${escaped}(?=[-._/]|$)`, "i").test(name);
}

function readHubReference(text: string): PullReference {
  const [path = "", revision = "main"] = text.slice(3).replace(/^\/\//, "").split("#", 2);
  const [user, repository, ...rest] = path.split("/");
  const [name, quantization] = (repository ?? "").split(":", 2);
  const wrong = (why: string): LlmError =>
    new LlmError("invalid-request", `"${text}" is no reference: ${why}`, {
      phase: "pull",
      hint: `References look like ${FORMS}.`,
    });
  for (const part of [user, name]) {
    if (part === undefined || !/^[\w.-]{1,96}$/.test(part) || /^\.+$/.test(part))
      throw wrong("it needs a user and a repository");
  }
  if (!/^[\w./-]{1,128}$/.test(revision) || revision.includes(".."))
    throw wrong("its revision has characters that no branch has");
  if (quantization !== undefined && !/^[\w.-]{1,32}$/.test(quantization))
    throw wrong("its quantization has a wrong form");
  const file = rest.length === 0 ? undefined : rest.join("/");
  if (file !== undefined && quantization !== undefined)
    throw wrong("it names both a file and a quantization");
  if (file !== undefined && !/\.gguf$/i.test(file)) throw wrong("the file must end in .gguf");
  if (file !== undefined) for (const step of rest) plainName(step);
  return { kind: "hub", repository: `${user}/${name}`, revision, file, quantization };
}

function readUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined) throw new LlmError("invalid-request", `"${text}" is no address`, { phase: "pull" });
  if (!/\.gguf$/i.test(url.pathname)) {
    throw new LlmError("invalid-request", "the address must end in .gguf: only GGUF files can be used here", {
      phase: "pull",
    });
  }
  return url;
}

function decode(step: string): string {
  try {
    return decodeURIComponent(step);
  } catch {
    return step;
  }
}

/** A name that is a name on every system, and never a way out of the folder. */
function plainName(name: string): string {
  const reserved = /^(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)/i.test(name);
  if (name === "" || name.length > 200 || reserved || /^\.|[\p{Cc}<>:"/\\|?*]|[. ]$/u.test(name)) {
    throw new LlmError("invalid-request", `${JSON.stringify(name)} cannot be the name of a file or folder`, {
      phase: "pull",
    });
  }
  return name;
}
