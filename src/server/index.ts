export { type RunServerOptions, runServer } from "./command.ts";
export { type RunningServer, type StartServerOptions, startServer } from "./server.ts";
