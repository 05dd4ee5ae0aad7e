import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { SwitchyardError } from "../../lib/index.ts";
import { formatYaml } from "../output/yaml.ts";
import { decodeFile } from "./decode.ts";
import { parseDocumentText, splitDocuments } from "./documents.ts";

const pool = {
  apiVersion: "projectcalico.org/v3",
  kind: "IPPool",
  metadata: { name: "p", labels: { a: "yes" } },
  spec: { cidr: "10.0.0.0/16", ipipMode: "Always", allowedUses: ["Workload"] },
};

function parseText(text: string): unknown {
  return parseDocumentText({ text, linesBefore: 0 });
}

describe("documents", () => {
  const splits: readonly (readonly [string, readonly string[]])[] = [
    ["a", ["a"]],
    ["---\na\n---\nb", ["a", "b"]],
    ["a\n--- # note\nb\n", ["a", "b\n"]],
    ["a: '\n ---'\n", ["a: '\n ---'\n"]],
    ["a\r\n---\r\nb", ["a", "b"]],
  ];
  for (const [text, documents] of splits) {
    test(JSON.stringify(text), () => {
      assert.deepEqual(
        splitDocuments(text).map((document) => document.text),
        documents,
      );
    });
  }

  const scalars: readonly (readonly [string, unknown])[] = [
    ["e1", "e1"],
    [".", "."],
    ["1e3", 1000],
    ["1.5", 1.5],
    [".5", 0.5],
    ["0x10", 16],
    ["yes", true],
    ["off", false],
    ["10:20:30:40:50:59", "10:20:30:40:50:59"],
    ["2026-11-23", "2026-11-23"],
    ["10.0.0.1", "10.0.0.1"],
    ["~", null],
  ];
  for (const [text, value] of scalars) {
    test(`${text} is ${JSON.stringify(value)}, as Go reads it`, () => {
      assert.deepEqual(parseText(`k: ${text}`), { k: value });
    });
  }
});

describe("decode", () => {
  test("one object, an array and a list are the same", () => {
    const { apiVersion } = pool;
    const texts = [pool, [pool], { apiVersion, kind: "IPPoolList", items: [pool] }];
    const [one, array, list] = texts.map((value) => decodeFile(formatYaml(value)));
    assert.equal(one?.length, 1);
    assert.deepEqual(array, one);
    assert.deepEqual(list, one);
    assert.deepEqual(decodeFile(JSON.stringify(pool)), one);
  });

  test("whatever a file holds, it is read or refused with a reason", () => {
    const good = formatYaml(pool);
    const edits = fc.array(fc.tuple(fc.nat(good.length), fc.nat(4), fc.string({ maxLength: 4 })), {
      minLength: 1,
      maxLength: 3,
    });
    const damaged = edits.map((all) =>
      all.reduce((text, [at, cut, put]) => text.slice(0, at) + put + text.slice(at + cut), good),
    );
    const json = fc.jsonValue().map((value) => JSON.stringify(value));
    let refused = 0;
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string(), json), (text) => {
        try {
          decodeFile(text);
        } catch (error) {
          assert.ok(error instanceof SwitchyardError, String((error as Error).stack));
          assert.ok(error.message.length > 0);
          refused++;
        }
      }),
      { numRuns: 1500 },
    );
    assert.ok(refused > 100, `only ${refused} texts were refused`);
  });
});
