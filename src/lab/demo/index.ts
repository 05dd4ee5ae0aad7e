export { watchModes } from "./convergence.ts";
export type { ChangeFacts, DemoReport, ModeFacts } from "./report.ts";
export { type DemoOptions, runDemo } from "./run.ts";
export { renderTable } from "./table.ts";
