/** Kubernetes' service addresses, as far as BGP is to tell them. */

export { ServiceWatch } from "./service-watch.ts";
