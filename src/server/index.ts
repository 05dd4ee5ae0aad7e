export { type RunningServer, type StartServerOptions, startServer } from "./server.ts";
