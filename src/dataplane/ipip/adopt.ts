/**
 * The maps of a predecessor. The programs it left attached hold them, so that they outlive it; a
 * successor that finds them with the shape it knows goes on with them, and no packet meets an empty map.
 */

import { BpfMap, type BpfProgramInfo } from "../../lib/sys/index.ts";
import { configKey, decodeConfig, type MapName, mapNames, mapShapes } from "./layout.ts";

export type AdoptedMaps = ReadonlyMap<MapName, BpfMap>;

/**
 * The maps that the standing programs use, to be closed by the caller; `undefined` if there is no
 * configured set. Each program alone uses three of the four, so one may be missing; two programs
 * with different sets (a predecessor died while it replaced them) give the first one's.
 */
export function adoptMaps(
  programs: readonly (BpfProgramInfo | undefined)[],
): AdoptedMaps | undefined {
  const sets = programs.flatMap((program) => (program ? [openMaps(program)] : []));
  const [base, ...others] = sets.filter(isConfigured);
  const adopted = new Map(base);
  for (const set of sets) {
    const same = set === base || (others.includes(set) && sharesConfig(set, adopted));
    for (const [name, map] of set) {
      if (adopted.get(name) === map) continue;
      if (same && !adopted.has(name)) adopted.set(name, map);
      else map.close();
    }
  }
  return base && adopted;
}

function openMaps(program: BpfProgramInfo): AdoptedMaps {
  const maps = new Map<MapName, BpfMap>();
  for (const id of program.mapIds) {
    const map = BpfMap.byId(id);
    const name = mapNames.find((name) => name === map.info.name);
    if (name && !maps.has(name) && fits(map, name)) maps.set(name, map);
    else map.close();
  }
  return maps;
}

function sharesConfig(a: AdoptedMaps, b: AdoptedMaps): boolean {
  return a.get("ipip_config")?.info.id === b.get("ipip_config")?.info.id;
}

function fits(map: BpfMap, name: MapName): boolean {
  const shape = mapShapes[name];
  const { type, keyBytes, valueBytes, maxEntries } = map.info;
  return (
    type === shape.type &&
    keyBytes === shape.keyBytes &&
    valueBytes === shape.valueBytes &&
    maxEntries === shape.maxEntries
  );
}

function isConfigured(maps: AdoptedMaps): boolean {
  const bytes = maps.get("ipip_config")?.get(configKey);
  return bytes !== undefined && decodeConfig(bytes) !== undefined;
}
