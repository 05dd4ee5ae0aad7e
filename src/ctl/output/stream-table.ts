/**
 * A table of any length, written as its rows come: the columns are as wide as the first rows need, and a
 * later cell that is wider pushes its own row only.
 */

import { cellText, formatTable } from "./table.ts";

const MEASURED_ROWS = 1000;
const PADDING = 3;

export class StreamTable {
  readonly #headings: readonly string[];
  #rows: (readonly string[])[] = [];
  #widths: readonly number[] | undefined;

  constructor(headings: readonly string[]) {
    this.#headings = headings;
  }

  /** The text that is ready. */
  add(row: readonly string[]): string {
    if (this.#widths !== undefined) return this.#line(row, this.#widths);
    this.#rows.push(row);
    return this.#rows.length < MEASURED_ROWS ? "" : this.#begin();
  }

  /** What is left; the headings alone where there was no row. */
  end(): string {
    return this.#widths === undefined ? this.#begin() : "";
  }

  #begin(): string {
    const text = formatTable(this.#headings, this.#rows).trimEnd();
    this.#widths = this.#headings.map((heading, column) =>
      Math.max(heading.length, ...this.#rows.map((row) => [...(row[column] ?? "")].length)),
    );
    this.#rows = [];
    const lines = text.split("\n").map((line) => line.trimEnd());
    return `${lines.join("\n")}\n`;
  }

  #line(row: readonly string[], widths: readonly number[]): string {
    const cells = row.map((cell, column) => {
      return cellText(cell).padEnd((widths[column] ?? 0) + PADDING);
    });
    return `${cells.join("").trimEnd()}\n`;
  }
}
