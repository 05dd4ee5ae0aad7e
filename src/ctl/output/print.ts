/** Prints what `get` found, in the format asked for. */

import type { Datastore } from "../../datastore/index.ts";
import { hasCode } from "../../lib/index.ts";
import {
  type CellContext,
  type Column,
  type ExposedKind,
  findColumn,
  kindColumns,
  kindTable,
  type ResourceOf,
} from "../../model/index.ts";
import { failure } from "../crud/errors.ts";
import type { ExposedResource } from "../crud/target.ts";
import type { OutputFormat } from "./format.ts";
import { goOrdered } from "./go-order.ts";
import { formatJson } from "./json.ts";
import { formatTable } from "./table.ts";
import { formatYaml } from "./yaml.ts";

/** What one target of `get` gave: one resource, or all of a kind. */
export type Found =
  | { readonly kind: "resource"; readonly resource: ExposedResource }
  | {
      readonly kind: "list";
      readonly of: ExposedKind;
      readonly resourceVersion: string;
      readonly items: readonly ExposedResource[];
    };

export interface PrintOptions {
  readonly format: OutputFormat;
  /** A namespace was asked for, or all of them. */
  readonly withNamespace: boolean;
  readonly datastore: Datastore;
}

export async function printFound(found: readonly Found[], options: PrintOptions): Promise<string> {
  const { format } = options;
  if (format.kind === "json" || format.kind === "yaml") {
    const objects = found.map(objectOf);
    const value = objects.length > 1 ? objects : (objects[0] ?? null);
    return format.kind === "json" ? formatJson(value) : formatYaml(value);
  }
  const tables: string[] = [];
  for (const one of found) tables.push(await tableOf(one, options));
  return tables.join("");
}

/** As the API would give it. */
function objectOf(found: Found): Readonly<Record<string, unknown>> {
  if (found.kind === "resource") return goOrdered({ ...found.resource });
  return goOrdered({
    kind: `${found.of}List`,
    apiVersion: kindTable[found.of].apiVersion,
    metadata: { resourceVersion: found.resourceVersion },
    items: found.items,
  });
}

async function tableOf(found: Found, options: PrintOptions): Promise<string> {
  const kind = found.kind === "list" ? found.of : found.resource.kind;
  const resources = found.kind === "list" ? found.items : [found.resource];
  return await rowsOf(kind, resources as unknown as readonly ResourceOf<ExposedKind>[], options);
}

async function rowsOf<K extends ExposedKind>(
  kind: K,
  resources: readonly ResourceOf<K>[],
  options: PrintOptions,
): Promise<string> {
  const headings = headingsOf(kind, options);
  const columns: readonly Column<K>[] = headings.map((heading) => columnOf(kind, heading));
  const context = await cellContext(headings, options.datastore);
  return formatTable(
    headings,
    resources.map((resource) => columns.map((column) => column.cell(resource, context))),
  );
}

function headingsOf(kind: ExposedKind, options: PrintOptions): readonly string[] {
  const { format, withNamespace } = options;
  if (format.kind === "custom-columns") return format.headings;
  const { byDefault, wide } = kindColumns[kind];
  const headings = format.kind === "wide" ? wide : byDefault;
  const namespaced = withNamespace && findColumn(kind, "NAMESPACE") !== undefined;
  return namespaced ? ["NAMESPACE", ...headings] : headings;
}

function columnOf<K extends ExposedKind>(kind: K, heading: string): Column<K> {
  const column = findColumn(kind, heading);
  if (column) return column;
  const valid = kindColumns[kind].all.map((one) => one.heading).join(", ");
  throw failure(`unknown heading ${heading}, valid values are: ${valid}`);
}

const defaultAsNumber = "64512";

/** Only a node's ASN needs more than the resource itself. */
async function cellContext(
  headings: readonly string[],
  datastore: Datastore,
): Promise<CellContext> {
  if (!headings.includes("ASN")) return { globalAsNumber: defaultAsNumber };
  try {
    const { spec } = await datastore.get("BGPConfiguration", "default");
    return { globalAsNumber: String(spec.asNumber ?? defaultAsNumber) };
  } catch (error) {
    const none = hasCode(error, "RESOURCE_NOT_FOUND");
    return { globalAsNumber: none ? defaultAsNumber : "unknown" };
  }
}
