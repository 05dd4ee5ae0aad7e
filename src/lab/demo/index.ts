export type { ChangeFacts, DemoReport, ModeFacts } from "./report.ts";
export { type DemoOptions, runDemo } from "./run.ts";
export { type Column, renderTable } from "./table.ts";
export { TOUR_START, type TourResult, tour } from "./tour.ts";
