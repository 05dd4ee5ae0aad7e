export * from "./address.ts";
export * from "./backoff.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./glob.ts";
export * from "./json.ts";
export * from "./prefix.ts";
export * from "./prefix-trie.ts";
