/** The room of unix sockets as places in the file system. */

export * from "./socket-file.ts";
