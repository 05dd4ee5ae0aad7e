export type { ChangeFacts, DemoReport, ModeFacts } from "./report.ts";
export { type DemoOptions, runDemo } from "./run.ts";
export { onStage } from "./stage.ts";
export { type Column, renderTable } from "./table.ts";
export { TOUR_START, tour } from "./tour.ts";
