export * from "./address.ts";
export * from "./backoff.ts";
export * from "./clock.ts";
export * from "./errors.ts";
export * from "./prefix.ts";
