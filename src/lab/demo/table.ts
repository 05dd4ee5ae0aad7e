/** Plain text tables: a header, a rule, rows; numbers to the right. Pure. */

export interface Column<R> {
  readonly title: string;
  readonly cell: (row: R) => string | number;
}

export function renderTable<R>(columns: readonly Column<R>[], rows: readonly R[]): string {
  const cells = rows.map((row) => columns.map((column) => column.cell(row)));
  const widths = columns.map((column, index) =>
    Math.max(column.title.length, ...cells.map((row) => String(row[index]).length)),
  );
  const numeric = columns.map((_, index) => cells.every((row) => typeof row[index] === "number"));
  const line = (values: readonly (string | number)[]) =>
    values
      .map((value, index) => {
        const width = widths[index] ?? 0;
        return numeric[index] ? String(value).padStart(width) : String(value).padEnd(width);
      })
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(columns.map((column) => column.title)), rule, ...cells.map(line)].join("\n");
}
