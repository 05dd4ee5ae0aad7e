/**
 * Two network namespaces joined by a veth pair: our speakers in one, the other program in the second, several
 * addresses of each family in each. Everything made here is removed by `close`.
 */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { nameOfRun, sweepLeftovers } from "../leftovers.ts";
import { Place } from "./place.ts";

export interface Addresses {
  readonly 4: string;
  readonly 6: string;
  /** Of the link between both ends alone. */
  readonly link: string;
}

const addresses = (index: number): Addresses => ({
  4: `172.31.251.${index}`,
  6: `fd00:31:251::${index}`,
  link: `fe80::251:${index}`,
});

export const OURS = addresses(1);
export const THEIRS = addresses(2);
/** Where more speakers are needed, ours or another one of the program. */
export const OURS_TOO = addresses(3);
export const OURS_LAST = addresses(5);
export const THEIRS_TOO = addresses(4);

const PREFIX = "interop-";
let labs = 0;

export class Lab {
  readonly #name: string;
  readonly #directory: string;
  readonly #places: Place[] = [];

  constructor() {
    if (labs === 0) sweepLeftovers(PREFIX);
    this.#name = nameOfRun(PREFIX) + ++labs;
    this.#directory = mkdtempSync(join(tmpdir(), `${this.#name}-`));
    const ends = { o: [OURS, OURS_TOO, OURS_LAST], t: [THEIRS, THEIRS_TOO] };
    for (const end of ["o", "t"]) ip("netns", "add", this.#name + end);
    const veth = ["link", "add", "eth0", "netns", `${this.#name}o`, "type", "veth"];
    ip(...veth, "peer", "name", "eth0", "netns", `${this.#name}t`);
    for (const [end, known] of Object.entries(ends)) {
      const inside = (...args: readonly string[]) => ip("-n", this.#name + end, ...args);
      inside("link", "set", "lo", "up");
      for (const each of known) {
        inside("address", "add", `${each[4]}/24`, "dev", "eth0");
        // Without duplicate address detection, which takes a second.
        for (const address of [each[6], each.link]) {
          inside("address", "add", `${address}/64`, "dev", "eth0", "nodad");
        }
      }
      inside("link", "set", "eth0", "up");
    }
  }

  /** For a speaker of ours, or for the other program; each call has a directory of its own. */
  place(end: "ours" | "theirs"): Place {
    const directory = join(this.#directory, String(this.#places.length));
    const place = new Place(this.#name + end[0], directory);
    this.#places.push(place);
    return place;
  }

  /** From now on our kernel hears nothing of the present connections, not even that they end. */
  async cutConnections(): Promise<void> {
    const place = this.place("ours");
    const rules = [
      "add table inet cut",
      "add chain inet cut in { type filter hook input priority 0; }",
    ];
    const sockets = await place.run("ss", "-tnH", "state", "established");
    for (const line of sockets.split("\n")) {
      const ports = /\S+:(\d+)\s+\S+:(\d+)\s*$/.exec(line);
      if (ports)
        rules.push(`add rule inet cut in tcp dport ${ports[1]} tcp sport ${ports[2]} drop`);
    }
    if (rules.length === 2) throw new Error("there is no connection to cut");
    await place.run("nft", rules.join("; "));
  }

  /** The kernel ends all connections, with a reset to the other end. */
  async resetConnections(): Promise<void> {
    await this.place("ours").run("ss", "-K", "state", "established");
  }

  /** Nothing passes from one end to the other any more, or all again; neither end is told. */
  async setLink(passes: boolean): Promise<void> {
    const place = this.place("ours");
    const rules =
      "add table inet link; add chain inet link in { type filter hook input priority 0; }";
    if (passes) await place.run("nft", "delete table inet link");
    else await place.run("nft", `${rules}; add rule inet link in iifname eth0 drop`);
  }

  async close(): Promise<void> {
    await Promise.all(this.#places.map((place) => place.close()));
    for (const end of ["o", "t"]) ip("netns", "delete", this.#name + end);
    rmSync(this.#directory, { recursive: true });
  }
}

function ip(...args: readonly string[]): void {
  execFileSync("ip", args, { stdio: ["ignore", "ignore", "inherit"] });
}
