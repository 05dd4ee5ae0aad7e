/**
 * The IP-in-IP tunnel of a plan on whichever backend this kernel allows, opened when first needed. It is
 * widened before routes move and narrowed after: in between it carries the old and the new.
 */

import { formatPrefix } from "../lib/index.ts";
import type { Link } from "../netlink/index.ts";
import type { IpipPlan } from "../plan/index.ts";
import type { IpipBackend, IpipDestination, IpipState } from "./ipip/index.ts";

export interface IpipDriverInput {
  readonly plan: IpipPlan;
  readonly uplink: Link;
  /** The tunnel device, if it exists. */
  readonly held: Link | undefined;
  /** Where routes on the tunnel lead that the plan does not know: they carry traffic until replaced. */
  readonly inUse: () => readonly IpipDestination[];
}

export class IpipDriver {
  readonly #open: () => Promise<IpipBackend>;
  #backend: IpipBackend | undefined;
  #last: { readonly key: string; readonly state: IpipState } | undefined;

  constructor(open: () => Promise<IpipBackend>) {
    this.#open = open;
  }

  get kind(): IpipBackend["kind"] | undefined {
    return this.#backend?.kind;
  }

  /** Makes the tunnel carry what is planned, what routes use, and what it carried so far. */
  async widen(input: IpipDriverInput): Promise<boolean> {
    const planned = stateOf(input);
    const last = this.#last?.state;
    const senders = new Set([...planned.senders, ...(last?.senders ?? [])]);
    const destinations = await this.#destinations(() =>
      union(planned.destinations, input.inUse(), last?.destinations ?? []),
    );
    return await this.#apply({ ...planned, senders: [...senders], destinations }, input.held);
  }

  /** Gives up what is neither planned nor used by a route. */
  async narrow(input: IpipDriverInput): Promise<boolean> {
    const planned = stateOf(input);
    const destinations = await this.#destinations(() => union(planned.destinations, input.inUse()));
    return await this.#apply({ ...planned, destinations }, input.held);
  }

  /** None where the kernel's module finds them by the routes themselves. */
  async #destinations(wanted: () => readonly IpipDestination[]) {
    return (await this.#opened()).kind === "kernel" ? [] : wanted();
  }

  async #apply(state: IpipState, held: Link | undefined): Promise<boolean> {
    const backend = await this.#opened();
    const key = JSON.stringify(state);
    const before = this.#last;
    // A refused state is unknown, and written again.
    this.#last = undefined;
    await backend.apply(state);
    this.#last = { key, state };
    const adopted = held?.up === true && held.mtu === state.mtu;
    return before === undefined ? !adopted : !adopted || before.key !== key;
  }

  async remove(): Promise<void> {
    const backend = await this.#opened();
    this.#last = undefined;
    await backend.remove();
  }

  async #opened(): Promise<IpipBackend> {
    this.#backend ??= await this.#open();
    return this.#backend;
  }

  close(): void {
    this.#backend?.close();
    this.#backend = undefined;
  }
}

function stateOf({ plan, uplink }: IpipDriverInput): IpipState {
  return {
    device: plan.device,
    mtu: plan.mtu,
    uplink: uplink.index,
    uplinkMac: uplink.mac ?? "00:00:00:00:00:00",
    local: plan.local,
    accept: plan.accept,
    senders: plan.senders,
    destinations: plan.destinations,
  };
}

/** One entry per prefix; earlier lists win. */
function union(...lists: (readonly IpipDestination[])[]): IpipDestination[] {
  const byPrefix = new Map<string, IpipDestination>();
  for (const destination of lists.flat()) {
    const key = formatPrefix(destination.prefix);
    if (!byPrefix.has(key)) byPrefix.set(key, destination);
  }
  return [...byPrefix.values()];
}
