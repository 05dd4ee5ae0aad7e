/** The lab's record in memory, with its file always in step. */

import { SwitchyardError } from "../lib/index.ts";
import type { FaultRecord } from "./fault/spec.ts";
import type { ProcessIdentity } from "./process-identity.ts";
import { type LabRecord, type PodRecord, readRecord, writeRecord } from "./state-file.ts";

export class RecordHolder {
  readonly #file: string;
  #record: LabRecord;

  private constructor(file: string, record: LabRecord) {
    this.#file = file;
    this.#record = record;
  }

  /** Opens the record at `file`, or writes `initial` there. */
  static open(file: string, initial: () => LabRecord): RecordHolder {
    const existing = readRecord(file);
    if (existing !== undefined) return new RecordHolder(file, existing);
    const record = initial();
    writeRecord(file, record);
    return new RecordHolder(file, record);
  }

  /** The record at `file`. @throws LAB_FAILED when there is no lab (any more). */
  static reopen(file: string): RecordHolder {
    const record = readRecord(file);
    if (record !== undefined) return new RecordHolder(file, record);
    throw new SwitchyardError("LAB_FAILED", "there is no lab: `lab up` makes one");
  }

  get record(): LabRecord {
    return this.#record;
  }

  setProcess(name: string, identity: ProcessIdentity): void {
    const { pid, startTime } = identity;
    this.#write({
      ...this.#record,
      processes: { ...this.#record.processes, [name]: { pid, startTime } },
    });
  }

  removeProcess(name: string): void {
    const { [name]: _, ...processes } = this.#record.processes;
    this.#write({ ...this.#record, processes });
  }

  setPod(name: string, pod: PodRecord): void {
    this.#write({ ...this.#record, pods: { ...this.#record.pods, [name]: pod } });
  }

  get faults(): readonly FaultRecord[] {
    return this.#record.faults ?? [];
  }

  /** Of a fault that is added now: no id is given twice. */
  get nextFaultId(): number {
    return (this.#record.lastFault ?? 0) + 1;
  }

  /** `lastFault`: the id of one that is new among them. */
  setFaults(faults: readonly FaultRecord[], lastFault = this.#record.lastFault): void {
    this.#write({ ...this.#record, faults: [...faults], ...(lastFault && { lastFault }) });
  }

  #write(record: LabRecord): void {
    writeRecord(this.#file, record);
    this.#record = record;
  }
}
