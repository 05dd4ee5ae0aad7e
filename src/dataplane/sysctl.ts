/**
 * Writes /proc/sys, by path with slashes: `sysctl` would read the dot of `vxlan.calico` as a separator.
 * What /proc/sys/net shows depends on the namespace of the thread that opens it, so all is synchronous.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { errorText } from "../lib/index.ts";
import { withNamespace } from "../lib/sys/index.ts";
import type { SysctlPlan } from "../plan/index.ts";
import type { Failure } from "./types.ts";

const ROOT = "/proc/sys";
/** Settings of one device: `net/ipv4/conf/eth0/rp_filter`. */
const DEVICE_SETTING = /^(net\/ipv[46]\/(?:conf|neigh))\/([^/]+)\/([^/]+)$/;
const STRICT = 1;

/** Name of the device a setting belongs to; undefined for settings of the whole host. */
export function sysctlDevice(path: string): string | undefined {
  const device = DEVICE_SETTING.exec(path)?.[2];
  return device === "all" || device === "default" ? undefined : device;
}

export interface SysctlResult {
  readonly changes: number;
  readonly failures: readonly Failure[];
}

/** Writes what differs. A missing file (its device is gone) is a failure of that setting only. */
export function applySysctls(sysctls: readonly SysctlPlan[], namespace?: string): SysctlResult {
  if (sysctls.length === 0) return { changes: 0, failures: [] };
  const apply = () => {
    const failures: Failure[] = [];
    let changes = 0;
    for (const sysctl of sysctls) {
      try {
        if (applyOne(sysctl)) changes++;
      } catch (error) {
        failures.push({
          object: `sysctl ${sysctl.path}`,
          message: `write ${sysctl.value} to sysctl ${sysctl.path}: ${errorText(error)}`,
        });
      }
    }
    return { changes, failures };
  };
  return namespace === undefined ? apply() : withNamespace(namespace, apply);
}

/** What the kernel holds of each: undefined where there is no such setting. In the order given. */
export function readSysctls(
  sysctls: readonly SysctlPlan[],
  namespace?: string,
): readonly (string | undefined)[] {
  if (sysctls.length === 0) return [];
  const readAll = () =>
    sysctls.map((sysctl) => {
      try {
        const held = read(sysctl.path);
        // What needs no write is as planned.
        return isMeant(sysctl, held) ? held : sysctl.value;
      } catch {
        return undefined;
      }
    });
  return namespace === undefined ? readAll() : withNamespace(namespace, readAll);
}

function applyOne(sysctl: SysctlPlan): boolean {
  if (sysctl.path.split("/").some((part) => part === "" || part === "." || part === "..")) {
    throw new Error("not a path below /proc/sys");
  }
  const held = read(sysctl.path);
  if (held === sysctl.value) return false;
  if (!isMeant(sysctl, held)) return false;
  writeFileSync(`${ROOT}/${sysctl.path}`, sysctl.value);
  return true;
}

/** Whether the setting is to be written over what is held. */
function isMeant({ path, onlyIf, onlyIfStrict }: SysctlPlan, held: string): boolean {
  if (onlyIf !== undefined && held !== onlyIf) return false;
  return !onlyIfStrict || filtersStrictly(path, held);
}

/** The kernel takes the larger of conf/all and the device's own rp_filter (ip-sysctl.rst). */
function filtersStrictly(path: string, held: string): boolean {
  const all = path.replace(DEVICE_SETTING, "$1/all/$3");
  return Math.max(Number(held), Number(read(all))) === STRICT;
}

function read(path: string): string {
  return readFileSync(`${ROOT}/${path}`, "utf8").trim();
}
