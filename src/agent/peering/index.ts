/** From resources to the speaker's configuration. Pure. */

export type { PeeringType } from "./peer-book.ts";
export {
  type BgpPlan,
  type BgpPlanInput,
  bgpPlan,
  type MeshPlan,
} from "./plan.ts";
export type { SecretReader, SecretReference } from "./session-options.ts";
