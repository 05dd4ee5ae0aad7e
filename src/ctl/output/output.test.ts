import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { parseDocumentText } from "../input/documents.ts";
import { parseOutputFormat } from "./format.ts";
import { goOrdered } from "./go-order.ts";
import { formatJson } from "./json.ts";
import { formatTable } from "./table.ts";
import { compareKeys, formatYaml } from "./yaml.ts";

describe("table", () => {
  test("pads as calicoctl does", () => {
    const pool = ["ippool-name1", "10.0.1.0/24", "foo == 'bar'"];
    const expected = [
      "NAME           CIDR          SELECTOR       ",
      "ippool-name1   10.0.1.0/24   foo == 'bar'   ",
      "",
      "",
    ];
    assert.equal(formatTable(["NAME", "CIDR", "SELECTOR"], [pool]), expected.join("\n"));
  });

  test("a column is at least five wide and counts code points", () => {
    assert.equal(formatTable(["A", "B"], [["😀😀😀", ""]]), "A     B    \n😀😀😀        \n\n");
  });

  test("control characters do not reach the terminal", () => {
    assert.equal(formatTable(["A"], [["a\u001b[2J\n"]]), "A        \na [2J    \n\n");
  });
});

describe("json", () => {
  test("escapes for HTML as Go does and ends without a newline", () => {
    assert.equal(
      formatJson({ s: "a && b <c>" }),
      '{\n  "s": "a \\u0026\\u0026 b \\u003cc\\u003e"\n}',
    );
  });

  test("reads back as what it was", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const same = JSON.parse(JSON.stringify(value));
        assert.deepEqual(JSON.parse(formatJson(value)), same);
      }),
    );
  });
});

describe("go order", () => {
  test("kind first, labels sorted", () => {
    const ordered = goOrdered({
      apiVersion: "v",
      spec: {},
      metadata: { uid: "u", labels: { b: "1", a: "2" }, name: "n" },
      kind: "K",
    });
    assert.equal(
      JSON.stringify(ordered),
      '{"kind":"K","apiVersion":"v","metadata":{"name":"n","uid":"u","labels":{"a":"2","b":"1"}},"spec":{}}',
    );
  });
});

describe("yaml", () => {
  const scalars: readonly (readonly [unknown, string])[] = [
    ["text", "text"],
    ["", '""'],
    ["12", '"12"'],
    ["0x1f", '"0x1f"'],
    ["1e3", '"1e3"'],
    ["true", '"true"'],
    ["yes", '"yes"'],
    ["n", '"n"'],
    ["null", '"null"'],
    ["~", '"~"'],
    ["2026-11-23T08:47:25Z", '"2026-11-23T08:47:25Z"'],
    ["10:20", '"10:20"'],
    ["10.0.0.0/16", "10.0.0.0/16"],
    ["fd00::1", "fd00::1"],
    ["ee:ee:ee:ee:ee:ee", "ee:ee:ee:ee:ee:ee"],
    ["all()", "all()"],
    ["!has(x)", "'!has(x)'"],
    ["foo == 'bar'", "foo == 'bar'"],
    ["'a'", "'''a'''"],
    ["a: b", "'a: b'"],
    ["a #b", "'a #b'"],
    ["- a", "'- a'"],
    ["-a", "-a"],
    [" a", "' a'"],
    ["a\nb\n", "|\n  a\n  b"],
    ["a\nb", "|-\n  a\n  b"],
    ["a\tb", '"a\\tb"'],
    [true, "true"],
    [1.5, "1.5"],
    [null, "null"],
    [[], "[]"],
    [{}, "{}"],
  ];
  for (const [value, text] of scalars) {
    test(`${JSON.stringify(value)} is ${text}`, () => {
      assert.equal(formatYaml({ k: value }), `k: ${text}\n`);
    });
  }

  test("keys are sorted, dashes stand under their key", () => {
    const value = { spec: { uses: ["A", { z: 1, a: [1] }], cidr: "x" }, kind: "K", items: [] };
    const expected = `items: []
kind: K
spec:
  cidr: x
  uses:
  - A
  - a:
    - 1
    z: 1
`;
    assert.equal(formatYaml(value), expected);
  });

  test("long text is folded at the first space after column 80", () => {
    const words = Array.from({ length: 20 }, () => "abcdefg").join(" ");
    const lines = formatYaml({ k: words }).split("\n");
    assert.deepEqual(
      lines.map((line) => line.length),
      [82, 81, 0],
    );
    assert.ok(lines[1]?.startsWith("  abcdefg"));
  });

  test("keys with numbers sort by number, upper case before lower case", () => {
    const keys = ["a10", "a2", "disabled", "disableBGPExport", "b"];
    assert.deepEqual(keys.sort(compareKeys), ["a2", "a10", "b", "disableBGPExport", "disabled"]);
  });

  test("what is printed reads back as what it was", () => {
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "grapheme" }),
      fc.stringMatching(/^[-+.0-9:_exbonTZyYnNtrue ]{0,12}$/),
      fc.stringMatching(/^[a-z'":#&*!|>%@`{}[\],?\n -]{0,120}$/),
    );
    const key = fc
      .oneof(fc.stringMatching(/^[a-z./'" :#-]{1,20}$/), text)
      .filter((k) => k !== "__proto__" && k !== "<<");
    const value = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: "small" },
        text,
        fc.integer(),
        fc.boolean(),
        fc.constant(null),
        fc.array(tie("value"), { maxLength: 4 }),
        fc.dictionary(key, tie("value"), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).value;
    fc.assert(
      fc.property(value, (original) => {
        const same: unknown = JSON.parse(JSON.stringify(original));
        const text = formatYaml(original);
        assert.deepEqual(parseDocumentText({ text, linesBefore: 0 }), same);
      }),
      { numRuns: 2000 },
    );
  });
});

describe("output formats", () => {
  const refused: readonly (readonly [string, string])[] = [
    ["name", "unrecognized output format 'name'"],
    ["", "unrecognized output format ''"],
    ["json=x", "unrecognized output format 'json=x'"],
    ["custom-columns", "need to specify at least one column"],
    ["custom-columns=", "need to specify at least one column"],
  ];
  for (const [text, message] of refused) {
    test(`${JSON.stringify(text)} is refused`, () => {
      assert.throws(() => parseOutputFormat(text), { message });
    });
  }

  test("templates are refused by name", () => {
    assert.throws(() => parseOutputFormat("go-template={{.}}"), /'go-template' is not supported/);
  });
});
