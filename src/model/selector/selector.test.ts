import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SwitchyardError } from "../../lib/index.ts";
import { parseSelector } from "./parser.ts";

const labels = { a: "x", in: "y", "kubernetes.io/os": "linux", empty: "", n: "node-12" };

test("selectors match as Calico's do, and have one canonical text", () => {
  const rows: [text: string, canonical: string, matches: boolean][] = [
    ["", "all()", true],
    [" \t ", "all()", true],
    ["all()", "all()", true],
    ["all( )", "all()", true],
    ["global()", "global()", true],
    ["!all()", "!all()", false],
    ['a == "x"', 'a == "x"', true],
    ["a=='x'", 'a == "x"', true],
    [`a != 'q"r'`, `a != 'q"r'`, true],
    ['missing == "x"', 'missing == "x"', false],
    ['missing != "x"', 'missing != "x"', true],
    ['missing not in {"x"}', 'missing not in {"x"}', true],
    ['missing in {"x"}', 'missing in {"x"}', false],
    ['missing contains ""', 'missing contains ""', false],
    ["has(a)", "has(a)", true],
    ["has( empty )", "has(empty)", true],
    ["!has(missing)", "!has(missing)", true],
    ["!!has(a)", "has(a)", true],
    ["!!!has(a)", "!has(a)", false],
    ['a in {"y", "x", "x",}', 'a in {"x", "y"}', true],
    ["a in {}", "a in {}", false],
    ["a not in {}", "a not in {}", true],
    ["a notin {'x'}", 'a not in {"x"}', false],
    ["n startswith 'node-'", 'n starts with "node-"', true],
    ["n ends \t with '12'", 'n ends with "12"', true],
    ["n contains 'de-1'", 'n contains "de-1"', true],
    ["in in {'y'}", 'in in {"y"}', true],
    ["in == 'y'", 'in == "y"', true],
    ["contains == 'y'", 'contains == "y"', false],
    ["kubernetes.io/os == 'linux'", 'kubernetes.io/os == "linux"', true],
    ["has(a) || has(b) && has(c)", "(has(a) || (has(b) && has(c)))", true],
    ["(has(a) || has(b)) && has(c)", "((has(a) || has(b)) && has(c))", false],
    ["!(has(b) || has(c))", "!(has(b) || has(c))", true],
    ["((has(a)))", "has(a)", true],
    ["__proto__ == 'x'", '__proto__ == "x"', false],
  ];
  for (const [text, canonical, matches] of rows) {
    const selector = parseSelector(text);
    assert.equal(selector.canonical(), canonical, text);
    assert.equal(selector.matches(labels), matches, text);
  }
});

test("bad selectors are refused in Calico's words", () => {
  const rows: [text: string, message: string][] = [
    ['a == "x', "unterminated string"],
    ["a = 'x'", "expected =="],
    ["has(a) & has(b)", "expected &&"],
    ["has(a) | has(b)", "expected ||"],
    ["a b", 'expected operator after label "a"'],
    ["a inside {'x'}", 'expected operator after label "a"'],
    ["a starts 'x'", 'expected operator after label "a"'],
    ["@", "expected identifier"],
    ["has()", "expected identifier"],
    ["a\n== 'x'", 'expected operator after label "a"'],
    [`${"l".repeat(513)} == 'x'`, `label too long: ${"l".repeat(513)}`],
    ["has(a", "no closing ')' after has("],
    ["all(", "no closing ')' after all("],
    ["global(x)", "no closing ')' after global("],
    ["a", "unexpected end of string looking for op"],
    ["(has(a)", "expected )"],
    ["a in {'x'", "expected }"],
    ["a in {'x' 'y'}", "expected }"],
    ["a ==", "expected string"],
    ["a == b", "expected string"],
    ["a in 'x'", "expected set literal"],
    ["&& has(a)", "unexpected token: TokAnd()"],
    ["!", "unexpected token: TokEOF()"],
    ["'x' == a", "unexpected token: TokStringLiteral(x)"],
    ["has (a)", "expected == or != not: TokLParen()"],
    ["a && b", "expected == or != not: TokAnd()"],
    ["has(a) has(b)", "unexpected content at end of selector [TokHas(b) TokEOF()]"],
    ["has(a))", "unexpected content at end of selector [TokRParen() TokEOF()]"],
    [`${"(".repeat(9000)}has(a)`, "more than 200 parentheses inside each other"],
  ];
  for (const [text, message] of rows) {
    assert.throws(
      () => parseSelector(text),
      { name: "SwitchyardError", message },
      text.slice(0, 60),
    );
  }
});

const label = fc.constantFrom("a", "b", "in", "has", "not", "x.y/z_-1");
const value = fc.constantFrom("", "x", "y", "x y", 'q"', "'", "node-12", "\n");
const quote = (text: string) => (text.includes('"') ? `'${text}'` : `"${text}"`);
const expression = fc.letrec<{ e: string }>((tie) => ({
  e: fc.oneof(
    { maxDepth: 4 },
    fc.constantFrom("all()", "global()"),
    label.map((l) => `has(${l})`),
    fc
      .tuple(label, fc.constantFrom("==", "!=", "contains", "starts with", "endswith"), value)
      .map(([l, operator, v]) => `${l} ${operator} ${quote(v)}`),
    fc
      .tuple(label, fc.constantFrom("in", "not in"), fc.array(value))
      .map(([l, operator, values]) => `${l} ${operator} {${values.map(quote).join(",")}}`),
    tie("e").map((e) => `!(${e})`),
    fc.tuple(tie("e"), tie("e")).map(([x, y]) => `(${x}) && ${y}`),
    fc.tuple(tie("e"), tie("e")).map(([x, y]) => `${x} || (${y})`),
  ),
})).e;

test("the canonical text parses to itself and means the same", () => {
  const anyLabels = fc.dictionary(label, value);
  fc.assert(
    fc.property(expression, anyLabels, (text, some) => {
      const selector = parseSelector(text);
      const again = parseSelector(selector.canonical());
      assert.equal(again.canonical(), selector.canonical());
      assert.equal(again.matches(some), selector.matches(some));
      assert.equal(parseSelector(`!(${text})`).matches(some), !selector.matches(some));
    }),
  );
});

test("any text either parses or is refused by name, never otherwise", () => {
  const fragment = fc.constantFrom(
    ..."a b has( all( global( ) ( ! != == = && & || { } , ' \" in not starts with contains \t \n é".split(
      " ",
    ),
    " ",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(fragment, { maxLength: 30 }).map((it) => it.join("")),
  );
  fc.assert(
    fc.property(text, (input) => {
      try {
        parseSelector(input).canonical();
      } catch (error) {
        assert.ok(error instanceof SwitchyardError, `${error}`);
        assert.notEqual(error.message, "");
      }
    }),
    { numRuns: 2000 },
  );
});
