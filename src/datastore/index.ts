export {
  type ApiStatus,
  failureStatus,
  openApiClient,
  statusFromError,
} from "./api/index.ts";
export { Collection, type CollectionChange, type CollectionOptions } from "./collection.ts";
export { type RulesOptions, withRules } from "./rules.ts";
export { type OpenSqliteOptions, openSqliteStore } from "./sqlite/index.ts";
export * from "./types.ts";
