/**
 * Sends numbered datagrams both ways between pairs of namespaces until its input ends, then prints what
 * was lost as JSON. A process of its own, so that the work of the test does not pause the probe.
 * Arguments: triples of A's and B's namespace and address, `PATH=ADDRESS,PATH=ADDRESS`.
 */

import { ipv4 } from "../../src/lib/index.ts";
import { openUdpSocket, receiveFd, sendFd } from "../../src/lib/sys/index.ts";

const INTERVAL_MS = 0.5;
const STRAGGLERS_MS = 500;
const PORT = 4000;

class Flow {
  readonly #sender: number;
  readonly #receiver: number;
  readonly #message = Buffer.alloc(8);
  #sent = 0;
  #received = 0;
  #highest = -1;
  #reordered = 0;
  #lastMs = 0;
  #maxGapMs = 0;

  constructor(sender: number, receiver: number) {
    this.#sender = sender;
    this.#receiver = receiver;
  }

  send(): void {
    this.#message.writeUInt32LE(this.#sent);
    try {
      if (sendFd(this.#sender, this.#message)) this.#sent++;
    } catch {
      // No route, or a prohibition: the packet counts as sent and lost.
      this.#sent++;
    }
  }

  drain(buffer: Buffer): void {
    for (;;) {
      let count: number | undefined;
      try {
        count = receiveFd(this.#receiver, buffer);
      } catch {
        // An ICMP error that belongs to an earlier send.
        continue;
      }
      if (count === undefined) return;
      const nowMs = performance.now();
      if (this.#received++ > 0) this.#maxGapMs = Math.max(this.#maxGapMs, nowMs - this.#lastMs);
      this.#lastMs = nowMs;
      const number = buffer.readUInt32LE(0);
      if (number < this.#highest) this.#reordered++;
      this.#highest = Math.max(this.#highest, number);
    }
  }

  result() {
    const lost = this.#sent - this.#received;
    return { sent: this.#sent, lost, reordered: this.#reordered, maxGapMs: this.#maxGapMs };
  }
}

const flows = process.argv.slice(2).flatMap((pair, index) => {
  const [a, b] = pair.split(",").map((end) => {
    const [namespace, address] = end.split("=") as [string, string];
    return { namespace, address: ipv4(address) };
  }) as [End, End];
  const port = PORT + index;
  const [first, second] = [open(a, b, port), open(b, a, port)];
  return [new Flow(first, second), new Flow(second, first)];
});

interface End {
  readonly namespace: string;
  readonly address: ReturnType<typeof ipv4>;
}

function open(local: End, peer: End, port: number): number {
  return openUdpSocket({ ...local, port, peer: { address: peer.address, port } });
}

let ended = false;
process.stdin.on("end", () => {
  ended = true;
});
process.stdin.resume();
console.log("ready");

const buffer = Buffer.alloc(64);
let dueMs = performance.now();
let endMs = Number.POSITIVE_INFINITY;
function turn(): void {
  const nowMs = performance.now();
  if (!ended && nowMs >= dueMs) {
    // A late turn sends one, not all that are due: the probe shows gaps, it does not fill them.
    dueMs = Math.max(dueMs + INTERVAL_MS, nowMs);
    for (const flow of flows) flow.send();
  }
  if (ended && endMs === Number.POSITIVE_INFINITY) endMs = nowMs + STRAGGLERS_MS;
  for (const flow of flows) flow.drain(buffer);
  if (nowMs < endMs) setImmediate(turn);
  else console.log(JSON.stringify(flows.map((flow) => flow.result())));
}
turn();
