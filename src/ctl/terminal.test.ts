import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { canRedraw, hasColour, hasUnicode, LiveScreen, paint } from "./terminal.ts";

/** A terminal that shows what was written: text wraps at its width, nothing scrolls away. */
class Glass {
  columns = 10;
  rows = 8;
  #lines: string[] = [""];
  #row = 0;

  readonly write = (text: string): void => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: escapes are what it obeys
    for (const [piece] of text.matchAll(/\u001b\[[0-9]*[AJm]|[\n\r]|[^\u001b\n\r]+/g)) {
      const [command, count] = [piece.at(-1), Number(piece.slice(2, -1))];
      if (piece.startsWith("\u001b") && command === "A") this.#row -= count;
      else if (piece.startsWith("\u001b") && command === "J") {
        this.#lines = [...this.#lines.slice(0, this.#row), ""];
      } else if (piece === "\n") {
        this.#row++;
        this.#lines[this.#row] ??= "";
      } else if (piece !== "\r" && !piece.startsWith("\u001b")) this.#lines[this.#row] += piece;
    }
    assert.ok(this.#row >= 0, "above the top");
  };

  /** Made narrower, it breaks the lines that stand there. */
  narrow(columns: number): void {
    this.columns = columns;
    const broken = this.#lines.flatMap(
      (line) => line.match(RegExp(`.{1,${columns}}`, "g")) ?? [""],
    );
    this.#row = broken.length - 1;
    this.#lines = broken;
  }

  get text(): string {
    return this.#lines.join("\n");
  }
}

function screenOn(glass: Glass): LiveScreen {
  const terminal = { columns: () => glass.columns, rows: () => glass.rows };
  return new LiveScreen({ terminal, colour: true, write: glass.write });
}
const lines = (...texts: string[]) => texts.map((text) => ({ text }));

describe("a live screen", () => {
  test("is drawn over itself, whether it grows or shrinks", () => {
    const glass = new Glass();
    glass.write("$ command\n");
    const screen = screenOn(glass);
    screen.draw(lines("a", "b", "c"));
    assert.equal(glass.text, "$ command\na\nb\nc\n");
    screen.draw(lines("d"));
    assert.equal(glass.text, "$ command\nd\n");
    screen.draw(lines("e", "f"));
    assert.equal(glass.text, "$ command\ne\nf\n");
    screen.clear();
    assert.equal(glass.text, "$ command\n");
    screen.clear();
    assert.equal(glass.text, "$ command\n", "twice is once");
  });

  test("is cut to the terminal", () => {
    const glass = new Glass();
    screenOn(glass).draw(lines("0123456789", "01234567890", ...Array(10).fill("x")));
    assert.deepEqual(glass.text.split("\n"), ["0123456789", "012345678~", ..."xxxxx", ""]);
  });

  test("is drawn over itself in a terminal that was made narrower", () => {
    const glass = new Glass();
    glass.write("$ c\n");
    const screen = screenOn(glass);
    screen.draw(lines("0123456789", "short"));
    glass.narrow(4);
    assert.equal(glass.text, "$ c\n0123\n4567\n89\nshor\nt\n");
    screen.draw(lines("new"));
    assert.equal(glass.text, "$ c\nnew\n");
  });
});

test("colour and redrawing follow the environment", () => {
  assert.equal(paint({ text: "x", style: "bad" }, true), "\u001b[31mx\u001b[0m");
  assert.equal(paint({ text: "x", style: "bad" }, false), "x");
  assert.equal(paint({ text: "x" }, true), "x");
  assert.deepEqual([{}, { NO_COLOR: "" }, { NO_COLOR: "1" }, { TERM: "dumb" }].map(hasColour), [
    true,
    true,
    false,
    false,
  ]);
  assert.deepEqual([{}, { TERM: "dumb" }].map(canRedraw), [true, false]);
});

test("block characters are drawn where the locale has them", () => {
  const cases: [env: Record<string, string>, unicode: boolean][] = [
    [{}, false],
    [{ LANG: "C" }, false],
    [{ LANG: "de_DE.UTF-8" }, true],
    [{ LC_CTYPE: "C.utf8", LANG: "C" }, true],
    [{ LC_ALL: "C", LANG: "en_US.UTF-8" }, false],
    [{ LC_ALL: "", LANG: "en_US.UTF-8" }, true],
  ];
  for (const [env, unicode] of cases) assert.equal(hasUnicode(env), unicode, JSON.stringify(env));
});
