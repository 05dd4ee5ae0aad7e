/**
 * Tables as calicoctl prints them: columns at least 5 wide, 3 spaces apart, every cell padded, the
 * last one too, and an empty line after the table (Go's text/tabwriter with those settings).
 */

const minWidth = 5;
const padding = 3;

/** Control characters in a value must not reach the terminal, nor break the table. */
export function cellText(value: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it finds
  return value.replace(/[\u0000-\u001f\u007f]/g, " ");
}

/** Tabwriter counts code points, not UTF-16 units. */
function widthOf(text: string): number {
  return [...text].length;
}

export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [headings, ...rows.map((row) => row.map(cellText))];
  const widths = headings.map((_, column) =>
    Math.max(minWidth, ...lines.map((line) => widthOf(line[column] ?? "") + padding)),
  );
  const texts = lines.map((line) =>
    line.map((cell, column) => cell + " ".repeat(widths[column]! - widthOf(cell))).join(""),
  );
  return `${texts.join("\n")}\n\n`;
}
