/** Routes and paths as rows of text. */

import type { RouteDocument, WhyDocument } from "../../bgp/view/index.ts";
import { formatTable } from "./table.ts";

/** So many peers stand in a line. */
const NAMED = 8;

type Column = readonly [heading: string, cell: (route: RouteDocument) => string];

const ordinary: readonly Column[] = [
  ["PREFIX", ({ prefix }) => prefix],
  ["NEXT HOP", ({ nextHop, nextHops = [nextHop] }) => nextHops.join(", ")],
  ["PEER", ({ peer }) => peer],
  ["AS PATH", ({ asPath }) => asPath.join(" ")],
  ["ORIGIN", ({ origin }) => origin],
  ["LOCAL PREF", ({ localPref }) => `${localPref ?? ""}`],
  ["MED", ({ med }) => `${med ?? ""}`],
  ["INFO", infoOf],
];

const more: readonly Column[] = [
  ["TYPE", ({ peerType = "" }) => peerType],
  ["PATH ID", ({ pathId }) => `${pathId ?? ""}`],
  [
    "COMMUNITIES",
    ({ communities, largeCommunities, extendedCommunities }) =>
      [...communities, ...largeCommunities, ...extendedCommunities].join(" "),
  ],
  ["ORIGINATOR", ({ originatorId = "" }) => originatorId],
  ["CLUSTER LIST", ({ clusterList }) => clusterList.join(" ")],
];

const columnsOf = (wide: boolean) => (wide ? [...ordinary, ...more] : ordinary);

export function routeColumns(wide: boolean): readonly string[] {
  return columnsOf(wide).map(([heading]) => heading);
}

export function routeRow(route: RouteDocument, wide: boolean): readonly string[] {
  return columnsOf(wide).map(([, cell]) => cell(route));
}

function infoOf({ refused, stale }: RouteDocument): string {
  return [refused === undefined ? "" : `refused: ${refused}`, stale ? "stale" : ""]
    .filter(Boolean)
    .join(", ");
}

/** `wanted`: what nobody has told, if so. */
export function renderWhy(document: WhyDocument, wanted: string): string {
  const { prefix, originated, paths } = document;
  const told = toldText(document);
  const own = originated
    ? `${prefix} is originated here: peers are told that, whatever was learned.\n`
    : "";
  if (paths.length === 0) return `${own}No peer has told ${wanted}.\n${told}`;
  const table = formatTable(
    ["VERDICT", "PEER", "NEXT HOP", "AS PATH", "LOCAL PREF", "MED", "WHY"],
    paths.map((path) => [
      path.verdict,
      path.peer,
      path.nextHop,
      path.asPath.join(" "),
      `${path.localPref ?? ""}`,
      `${path.med ?? ""}`,
      path.words,
    ]),
  );
  const lines = table
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd());
  return `${own}Paths to ${prefix}\n${lines.join("\n")}\n${told}`;
}

function toldText({ told, withheld }: WhyDocument): string {
  const lines = withheld.map(({ words, peers }) => `Not told to ${namesText(peers)}: ${words}\n`);
  return `${told.length > 0 ? `Told to ${namesText(told)}\n` : ""}${lines.join("")}`;
}

function namesText(names: readonly string[]): string {
  const more = names.length > NAMED ? ` and ${names.length - NAMED} more` : "";
  return `${names.slice(0, NAMED).join(", ")}${more}`;
}
