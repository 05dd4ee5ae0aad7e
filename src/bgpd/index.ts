/** The speaker as a daemon of its own: a file in, a socket out. */

export { type BgpdOptions, checkFile, runBgpd } from "./command.ts";
