/**
 * A picture that is drawn over itself: what changes while one looks, without filling the screen. Colour is
 * left out where NO_COLOR is set; nothing is said by colour alone.
 */

import type { Line } from "./output/change/text.ts";

/** Standard output, where it is a terminal. */
export interface Terminal {
  readonly columns: () => number;
  readonly rows: () => number;
}

type Env = Readonly<Record<string, string | undefined>>;

/** https://no-color.org: set and not empty. */
export function hasColour(env: Env): boolean {
  return (env.NO_COLOR ?? "") === "" && env.TERM !== "dumb";
}

/** A terminal that cannot move its cursor gets lines, as a file does. */
export function canRedraw(env: Env): boolean {
  return env.TERM !== "dumb";
}

/** What the locale says of the character set; POSIX's order of precedence. */
export function hasUnicode(env: Env): boolean {
  return /utf-?8/i.test(env.LC_ALL || env.LC_CTYPE || env.LANG || "");
}

const sgr: Readonly<Record<NonNullable<Line["style"]>, string>> = {
  good: "32",
  bad: "31",
  strong: "1",
  faint: "2",
};

export function paint({ text, style }: Line, colour: boolean): string {
  return colour && style !== undefined ? `\u001b[${sgr[style]}m${text}\u001b[0m` : text;
}

/** ECMA-48: cursor up N lines; erase from here to the end of the screen. */
const up = (lines: number) => `\u001b[${lines}A`;
const eraseBelow = "\r\u001b[J";

export class LiveScreen {
  readonly #terminal: Terminal;
  readonly #colour: boolean;
  readonly #write: (text: string) => void;
  /** Lengths of the lines that stand there now: a terminal made narrower breaks them anew. */
  #drawn: readonly number[] = [];

  constructor(options: {
    readonly terminal: Terminal;
    readonly colour: boolean;
    readonly write: (text: string) => void;
  }) {
    this.#terminal = options.terminal;
    this.#colour = options.colour;
    this.#write = options.write;
  }

  /** Cut to the terminal's size: a line that wraps, or scrolls away, could not be drawn over. */
  draw(lines: readonly Line[]): void {
    const columns = Math.max(1, this.#terminal.columns());
    const shown = lines
      .slice(0, Math.max(1, this.#terminal.rows() - 1))
      .map((line) => ({ ...line, text: cut(line.text, columns) }));
    const text = shown.map((line) => `${paint(line, this.#colour)}\n`).join("");
    this.#write(`${this.#erase(columns)}${text}`);
    this.#drawn = shown.map((line) => [...line.text].length);
  }

  /** Takes the picture away; what is printed next begins where it stood. */
  clear(): void {
    this.#write(this.#erase(Math.max(1, this.#terminal.columns())));
    this.#drawn = [];
  }

  #erase(columns: number): string {
    const height = this.#drawn.reduce(
      (sum, length) => sum + Math.max(1, Math.ceil(length / columns)),
      0,
    );
    return height === 0 ? "" : `${up(height)}${eraseBelow}`;
  }
}

function cut(text: string, columns: number): string {
  const characters = [...text];
  if (characters.length <= columns) return text;
  return `${characters.slice(0, Math.max(0, columns - 1)).join("")}~`;
}
