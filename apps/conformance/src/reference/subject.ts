import type { FakeBackend } from "../backend.ts";
import { plainFake } from "../fakes/plain/index.ts";
import type { Subject } from "../subject.ts";
import { REFERENCE_PACKAGE, type ReferencePackage, writePackage } from "./package.ts";
import { type Changes, referencePlugin } from "./plugin.ts";
import type { ReferenceSettings } from "./settings.ts";

/** What a subject differs in from the reference. */
export interface SubjectChanges extends Changes {
  readonly package?: ReferencePackage | undefined;
  readonly plugin?: Subject["plugin"] | undefined;
  readonly backend?: FakeBackend | undefined;
  readonly module?: URL | undefined;
}

let written: URL | undefined;

/** The reference in front of the plain wire, or what a mutant makes of it. */
export function referenceSubject(changes: SubjectChanges = {}): Subject {
  const { package: files = REFERENCE_PACKAGE, backend = plainFake } = changes;
  return {
    package: files === REFERENCE_PACKAGE ? (written ??= writePackage()) : writePackage(files),
    plugin: changes.plugin ?? referencePlugin(changes),
    backend,
    module: changes.module ?? new URL("entry.ts", import.meta.url),
    settings: ({ address, key }): ReferenceSettings => ({
      baseUrl: address,
      ...(key !== undefined && { key }),
    }),
  };
}
