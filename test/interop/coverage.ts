/**
 * Which scenario is played with which program, as docs/reference/bgp-programs.md tells it. Run by itself it
 * writes that page's table anew.
 */

import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { programs } from "./programs/index.ts";
import { loadScenarios, missing, variantsOf } from "./scenarios.ts";

const page = join(import.meta.dirname, "../../docs/reference/bgp-programs.md");
const MARK = /(?<=<!-- test\/interop\/coverage.*-->\n)[\s\S]*$/;

async function coverage(): Promise<string> {
  const letters = new Map<string, string>();
  const rows: string[] = [];
  for (const [name, scenario] of await loadScenarios()) {
    for (const { variant, needs } of variantsOf(scenario)) {
      const cells = programs.map((program) => {
        const reason = missing(program, needs);
        if (reason === undefined) return "yes";
        if (!letters.has(reason)) letters.set(reason, letter(letters.size));
        return letters.get(reason);
      });
      rows.push(`| ${name}${variant && `: ${variant}`} | ${cells.join(" | ")} |`);
    }
  }
  const head = `| Scenario | ${programs.map(({ name }) => name).join(" | ")} |`;
  const rule = `| --- ${programs.map(() => "| --- ").join("")}|`;
  const reasons = [...letters].map(([reason, name]) => `- ${name}: ${reason}`);
  return `\n${[head, rule, ...rows].join("\n")}\n\n${reasons.join("\n")}\n`;
}

function letter(index: number): string {
  return String.fromCharCode("a".charCodeAt(0) + index);
}

/** The page as it is, and as it should be. */
export async function compareCoverage(): Promise<{ readonly is: string; readonly wanted: string }> {
  const is = readFileSync(page, "utf8");
  const text = await coverage();
  return { is, wanted: is.replace(MARK, () => text) };
}

if (import.meta.main) writeFileSync(page, (await compareCoverage()).wanted);
