/** What `lab up` prints at its end: what is there, and what to try. Pure. */

import type { LabState } from "./lab-state.ts";
import { layout } from "./topology.ts";

/** How its lab is named on the command line. */
export function labCommand(state: LabState): string {
  return state.name === "sy" ? "bin/switchyard lab" : `bin/switchyard lab --name ${state.name}`;
}

export function suggestions(state: LabState): string[] {
  const first = state.pods[0];
  const last = state.pods.at(-1);
  const node = state.nodes[0]!.name;
  const lab = labCommand(state);
  const lines = state.nodes.map((entry) => {
    const pods = state.pods.filter((pod) => pod.node === entry.name);
    return `  ${entry.name}  ${entry.address}  ${pods.map(podText).join(" ")}`;
  });
  const tries = [
    `${lab} status`,
    `${lab} exec ${node} -- ip route`,
    ...(first && last ? [`${lab} exec ${first.name} -- ping -c 3 ${last.address}`] : []),
    ...(last?.address6 === undefined
      ? []
      : [
          `${lab} exec ${node} -- ip -6 route`,
          `${lab} exec ${first?.name} -- ping -c 3 ${last.address6}`,
        ]),
    `${lab} exec ${node} -- switchyard node status`,
    `${lab} exec ${node} -- switchyard patch ippool ${layout.poolName} --patch '{"spec":{"ipipMode":"Never","vxlanMode":"Always"}}'`,
    `${lab} down`,
  ];
  return [
    "the lab is up:",
    ...lines.map((line) => line.trimEnd()),
    "try:",
    ...tries.map((line) => `  ${line}`),
  ];
}

/** `pod1a=10.244.1.3`, or `pod1a=10.244.1.3,fd00:244::3`. */
export function podText(pod: {
  readonly name: string;
  readonly address: string;
  readonly address6?: string;
}): string {
  const { name, address, address6 } = pod;
  return `${name}=${address6 === undefined ? address : `${address},${address6}`}`;
}
