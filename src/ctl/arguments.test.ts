import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { readArguments } from "./arguments.ts";

const cases: readonly (readonly [string, string, string | undefined])[] = [
  ["get ippool -o wide", "get ippool -o wide", "get"],
  ["-o wide get ippool", "get -o wide ippool", "get"],
  ["-c file get ippool", "get -c file ippool", "get"],
  ["-l debug --context x get ippool", "get -l debug --context x ippool", "get"],
  ["get ippool -o=wide", "get ippool --output=wide", "get"],
  ["get ippool -ojson", "get ippool -ojson", "get"],
  ["get -A=true wep", "get -A wep", "get"],
  ["get --all-namespaces=F wep", "get wep", "get"],
  ["get --all-namespaces=maybe wep", "get --all-namespaces=maybe wep", "get"],
  ["--node n1 node status", "node status --node n1", "node"],
  ["apply -f -", "apply -f -", "apply"],
  ["get ippool -- -o=wide", "get ippool -- -o=wide", "get"],
  ["lab exec node1 ls -n=5", "lab exec node1 ls -n=5", "lab"],
  ["-l debug lab up", "-l debug lab up", "lab"],
  ["nonsense -n=5", "nonsense -n=5", "nonsense"],
  ["--help", "--help", undefined],
  ["help", "--help", undefined],
  ["help get", "get --help", "get"],
  ["help node status", "node status --help", "node"],
];

describe("arguments", () => {
  for (const [line, read, word] of cases) {
    test(line, () => {
      assert.deepEqual(readArguments(line.split(" ")), { word, args: read.split(" ") });
    });
  }
});
