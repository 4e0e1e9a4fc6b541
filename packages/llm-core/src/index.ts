export * from "./provider.ts";
export * from "./chat.ts";
export * from "./events.ts";
export * from "./model.ts";
export * from "./json.ts";
export {
  ERROR_CODES,
  type ErrorCode,
  type ErrorPhase,
  isLlmError,
  LlmError,
  type LlmErrorInit,
  type PartialAnswer,
  toLlmError,
  withDetails,
} from "./errors.ts";
export { redact } from "./redact.ts";
export * from "./manifest.ts";
export {
  type AnyPlugin,
  defineProvider,
  type Host,
  type Hosted,
  isProviderPlugin,
  type ProviderDefinition,
  type ProviderPlugin,
} from "./define.ts";
export { lazySchema, type SettingsIssue, type SettingsResult, type SettingsSchema } from "./schema.ts";
export { type ChatResponse, collect, generate, requireOperation } from "./generate.ts";
export {
  batchesOf,
  type BatchRead,
  type BatchSource,
  type EventBatch,
  fromBatches,
  fromSource,
  type Pullable,
  type Reader,
} from "./stream.ts";
export {
  createRegistry,
  incompatible,
  type PluginEntry,
  type ProviderChoice,
  type Registry,
  type RegistryOptions,
} from "./registry.ts";
