/** The names `ethtool -k` and `-K` use for groups of features, and what the kernel calls their members. */

import { SwitchyardError } from "../lib/index.ts";

interface Group {
  /** As `ethtool -k` prints it, and the short form that `-K` takes. */
  readonly names: readonly [long: string, short: string];
  readonly members: RegExp;
}

const groups: readonly Group[] = [
  { names: ["rx-checksumming", "rx"], members: /^rx-checksum$/ },
  { names: ["tx-checksumming", "tx"], members: /^tx-checksum-.*$/ },
  { names: ["scatter-gather", "sg"], members: /^tx-scatter-gather.*$/ },
  { names: ["tcp-segmentation-offload", "tso"], members: /^tx-tcp.*-segmentation$/ },
  { names: ["generic-segmentation-offload", "gso"], members: /^tx-generic-segmentation$/ },
  { names: ["generic-receive-offload", "gro"], members: /^rx-gro$/ },
  { names: ["large-receive-offload", "lro"], members: /^rx-lro$/ },
  { names: ["rx-vlan-offload", "rxvlan"], members: /^rx-vlan-hw-parse$/ },
  { names: ["tx-vlan-offload", "txvlan"], members: /^tx-vlan-hw-insert$/ },
  { names: ["ntuple-filters", "ntuple"], members: /^rx-ntuple-filter$/ },
  { names: ["receive-hashing", "rxhash"], members: /^rx-hashing$/ },
];

/** The kernel's names for one of `ethtool`, or of the kernel itself. @throws INVALID_ARGUMENT. */
export function featureMembers(name: string, known: Iterable<string>): readonly string[] {
  const all = [...known];
  const group = groups.find(({ names }) => names.includes(name));
  const members = all.filter((each) => (group ? group.members.test(each) : each === name));
  if (members.length > 0) return members;
  throw new SwitchyardError(
    "INVALID_ARGUMENT",
    `not a feature of network devices: ${JSON.stringify(name)}`,
  );
}
