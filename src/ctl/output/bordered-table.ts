/** Tables with borders, as calicoctl's `node` and `ipam` commands print them. */

export function formatBorderedTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const lines = [headings, ...rows];
  const widths = headings.map((_, column) =>
    Math.max(...lines.map((line) => [...(line[column] ?? "")].length)),
  );
  const border = `+${widths.map((width) => "-".repeat(width + 2)).join("+")}+\n`;
  const texts = lines.map((line) => {
    const cells = widths.map((width, column) => {
      const cell = line[column] ?? "";
      return ` ${cell}${" ".repeat(width - [...cell].length)} `;
    });
    return `|${cells.join("|")}|\n`;
  });
  const [head = "", ...body] = texts;
  return border + head + border + body.join("") + (body.length > 0 ? border : "");
}
