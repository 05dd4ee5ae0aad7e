/** From resources to the speaker's configuration. Pure. */

export {
  type BgpPlan,
  type BgpPlanInput,
  bgpPlan,
  type MeshPlan,
  type PeeringType,
} from "./plan.ts";
export type { SecretReader, SecretReference } from "./session-options.ts";
