export {
  type ApiStatus,
  collectionPath,
  errorFromStatus,
  failureStatus,
  objectPath,
  openApiClient,
  statusFromError,
} from "./api/index.ts";
export { Collection, type CollectionChange, type CollectionOptions } from "./collection.ts";
export { compareRevisions } from "./object-key.ts";
export { type RulesOptions, withRules } from "./rules.ts";
export { type OpenSqliteOptions, openSqliteStore } from "./sqlite/index.ts";
export * from "./types.ts";
