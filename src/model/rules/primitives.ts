/** What single values may look like: the tags of Calico's validator, by their names there. */

import {
  isMasked,
  parseAddress,
  parseIpv4,
  parseIpv6,
  parsePrefix,
  parsePrefixOrAddress,
} from "../../lib/index.ts";
import { type FieldError, tagError } from "../errors.ts";
import { isSubdomain } from "../names.ts";
import { parseSelector } from "../selector/parser.ts";

function port(text: string): boolean {
  return /^[0-9]{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535;
}

function isIpPort(text: string): boolean {
  if (parseAddress(text) !== undefined) return true;
  const bracketed = /^\[([^\]]*)\]:(.*)$/.exec(text);
  if (bracketed) return parseIpv6(bracketed[1]!) !== undefined && port(bracketed[2]!);
  const [address = "", number = "", ...more] = text.split(":");
  return more.length === 0 && parseIpv4(address) !== undefined && port(number);
}

function isSelector(text: string): boolean {
  try {
    parseSelector(text);
    return true;
  } catch {
    return false;
  }
}

function isRegexp(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}

function isNet(text: string, address: "number" | "bigint"): boolean {
  const prefix = parsePrefixOrAddress(text);
  return prefix !== undefined && isMasked(prefix) && typeof prefix.address === address;
}

const tags = {
  name: isSubdomain,
  /** Strictly masked, or a bare address. */
  net: (text) => {
    const prefix = parsePrefixOrAddress(text);
    return prefix !== undefined && isMasked(prefix);
  },
  netv4: (text) => isNet(text, "number"),
  netv6: (text) => isNet(text, "bigint"),
  cidr: (text) => parsePrefixOrAddress(text) !== undefined,
  cidrv4: (text) => typeof parsePrefixOrAddress(text)?.address === "number",
  cidrv6: (text) => typeof parsePrefixOrAddress(text)?.address === "bigint",
  ip: (text) => parseAddress(text) !== undefined,
  ipv4: (text) => parseIpv4(text) !== undefined,
  ipv6: (text) => parseIpv6(text) !== undefined,
  "IP:port": isIpPort,
  reachableBy: (text) => parseAddress(text) !== undefined,
  interface: (text) => text === "*" || /^[a-zA-Z0-9_.-]{1,15}$/.test(text),
  bgpFilterInterface: (text) => text === "*" || /^[a-zA-Z0-9_.*-]{1,15}$/.test(text),
  ignoredInterface: (text) => text !== "*" && /^[a-zA-Z0-9_.*-]{1,15}$/.test(text),
  ifaceFilter: (text) => /^[a-zA-Z0-9:._+-]{1,15}$/.test(text),
  mac: (text) => /^([0-9a-fA-F]{2}([:-])([0-9a-fA-F]{2}\2){4}[0-9a-fA-F]{2})$/.test(text),
  regexp: isRegexp,
  selector: isSelector,
  containerID: (text) => /^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/.test(text),
  ipType: (text) => ["CalicoNodeIP", "InternalIP", "ExternalIP"].includes(text),
  wireguardPublicKey: (text) => /^[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=$/.test(text),
} as const satisfies Record<string, (text: string) => boolean>;

export type Tag = keyof typeof tags;

export function hasTag(tag: Tag, text: string): boolean {
  return tags[tag](text);
}

/** Collects what is wrong with one object, field by field, in the order of the checks. */
export class FieldChecks {
  readonly errors: FieldError[] = [];

  add(error: FieldError): void {
    this.errors.push(error);
  }

  /** A rule of the kind's schema: named by its JSON path, without value. */
  require(holds: boolean, path: string, reason: string): void {
    if (!holds) this.errors.push({ name: path, reason });
  }

  /** Absent and empty pass, as with `omitempty`. `field` is the Go name of the leaf. */
  tag(tag: Tag, field: string, value: string | undefined): void {
    if (value && !hasTag(tag, value)) this.errors.push(tagError({ field, value, tag }));
  }

  tagFailure(tag: string, field: string, value: unknown): void {
    this.errors.push(tagError({ field, value, tag }));
  }

  tagRequired(field: string, value: unknown): void {
    this.tagFailure("required", field, value);
  }

  tagEach(tag: Tag, field: string, values: readonly string[] | undefined): void {
    for (const [index, value] of (values ?? []).entries()) {
      if (!hasTag(tag, value))
        this.errors.push(tagError({ field: `${field}[${index}]`, value, tag }));
    }
  }

  /** Bounds of the schema, checked only when the field is set. */
  range(path: string, value: number | undefined, limits: readonly [number, number]): void {
    if (value === undefined) return;
    const [minimum, maximum] = limits;
    const shown = `${path} in body should be`;
    this.require(value >= minimum, path, `${shown} greater than or equal to ${minimum}`);
    this.require(value <= maximum, path, `${shown} less than or equal to ${maximum}`);
  }

  /** `shown` is the pattern as the schema writes it, where JavaScript writes it otherwise. */
  pattern(path: string, value: string | null | undefined, pattern: RegExp, shown?: string): void {
    if (!value) return;
    const text = shown ?? pattern.source;
    this.require(pattern.test(value), path, `${path} in body should match '${text}'`);
  }

  /** The schema's `format: cidr`, which no bare address passes. */
  formatCidr(path: string, value: string | undefined): void {
    if (!value) return;
    const reason = `${path} in body must be of type cidr: ${JSON.stringify(value)}`;
    this.require(parsePrefix(value) !== undefined, path, reason);
  }

  maxLength(path: string, value: string | undefined, maximum: number): void {
    const reason = `${path} in body should be at most ${maximum} chars long`;
    this.require((value?.length ?? 0) <= maximum, path, reason);
  }

  minItems(path: string, value: readonly unknown[] | undefined, minimum: number): void {
    const reason = `${path} in body should have at least ${minimum} items`;
    this.require((value?.length ?? 0) >= minimum, path, reason);
  }

  maxItems(path: string, value: readonly unknown[] | undefined, maximum: number): void {
    const reason = `${path} in body should have at most ${maximum} items`;
    this.require((value?.length ?? 0) <= maximum, path, reason);
  }
}
