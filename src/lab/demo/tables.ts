/** The demo's tables. Pure. */

import type { ChangeFacts, ModeChangeFacts, ModeFacts, ProbeFacts } from "./report.ts";
import { type Column, renderTable } from "./table.ts";

const probeColumns: readonly Column<ProbeFacts>[] = [
  { title: "sent", cell: (row) => row.sent },
  { title: "lost", cell: (row) => row.lost },
  { title: "reordered", cell: (row) => row.reordered },
  { title: "longest gap ms", cell: (row) => row.maxGapMs },
  { title: "TCP resets", cell: (row) => row.tcpResets },
  { title: "TCP retransmits", cell: (row) => row.tcpRetransmits },
];

const changeColumns: readonly Column<ChangeFacts>[] = [
  { title: "from", cell: (row) => row.from },
  { title: "to", cell: (row) => row.to },
  { title: "all moved ms", cell: (row) => row.convergedMs },
  ...probeColumns,
];

const seconds = (ms: number) => Math.round(ms / 100) / 10;

const modeChangeColumns: readonly Column<ModeChangeFacts>[] = [
  { title: "from", cell: (row) => row.from },
  { title: "to", cell: (row) => row.to },
  { title: "result", cell: (row) => row.result },
  { title: "took s", cell: (row) => seconds(row.durationMs) },
  ...probeColumns,
];

const both = (near: number, far: number) => `${near} / ${far}`;

const modeColumns: readonly Column<ModeFacts>[] = [
  { title: "mode", cell: (row) => row.mode },
  { title: "next hop devices", cell: (row) => row.nextHopDevices.join(" ") },
  { title: "path MTU", cell: ({ pathMtu }) => both(pathMtu.sameSubnet, pathMtu.crossSubnet) },
  {
    title: "round trip p50 us",
    cell: ({ rtt }) => both(rtt.sameSubnet.p50Us, rtt.crossSubnet.p50Us),
  },
  { title: "p99 us", cell: ({ rtt }) => both(rtt.sameSubnet.p99Us, rtt.crossSubnet.p99Us) },
  {
    title: "TCP Gbit/s",
    cell: ({ throughputGbps }) => both(throughputGbps.sameSubnet, throughputGbps.crossSubnet),
  },
];

export const renderChanges = (rows: readonly ChangeFacts[]) => renderTable(changeColumns, rows);

export const renderModeChanges = (rows: readonly ModeChangeFacts[]) =>
  renderTable(modeChangeColumns, rows);

/** `Proving 9.4 s, Canary 4.1 s, …`. */
export const phaseLine = ({ phases }: ModeChangeFacts) =>
  phases.map(({ phase, durationMs }) => `${phase} ${seconds(durationMs)} s`).join(", ");

/** Pairs of figures are: inside one subnet / across the router. */
export const renderModes = (rows: readonly ModeFacts[]) => renderTable(modeColumns, rows);
