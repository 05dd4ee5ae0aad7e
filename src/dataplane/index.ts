/** The door of the dataplane room: a NodePlan applied to a kernel, or to a fake one. */

export { FakeDataplane } from "./fake.ts";
export { FakeKernel, type FakeKernelOptions } from "./fake-kernel.ts";
export { bpfProblem } from "./ipip/index.ts";
export { type DataplaneOptions, openDataplane } from "./kernel-dataplane.ts";
export { nft } from "./nft.ts";
export type { Ownership } from "./ownership.ts";
export type * from "./types.ts";
export {
  type AttachWorkloadOptions,
  attachWorkload,
  type DetachWorkloadOptions,
  detachWorkload,
  workloadDeviceName,
} from "./workload.ts";
