/** The configuration file: every field into what the speaker takes, every mistake by its field. */

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { ipAddress, ipv4, prefix } from "../lib/index.ts";
import { readConfig } from "./config-file.ts";
import { allFields } from "./schema.ts";

const directory = mkdtempSync(join(tmpdir(), "switchyard-bgpd-"));
after(() => rmSync(directory, { recursive: true }));

function file(text: string): string {
  const path = join(directory, "bgpd.yaml");
  writeFileSync(path, text);
  return path;
}

const least = "localAs: 65001\nrouterId: 192.0.2.1\n";

function problem(text: string): string {
  const path = file(text);
  try {
    readConfig(path);
  } catch (error) {
    return (error as Error).message.replaceAll(path, "FILE");
  }
  return "none";
}

describe("configuration of bgpd", () => {
  it("turns text into what the speaker takes", () => {
    writeFileSync(join(directory, "secret"), "pass word\n");
    const { speaker, logLevel } = readConfig(
      file(`${least}clusterId: 192.0.2.9
logLevel: debug
keptMessageBytes: 0
multipath: { maximumPaths: 4, relaxAsPath: true }
gracefulRestart: { restartTimeSeconds: 60 }
listen: [{ addresses: ["::1", 127.0.0.1], port: 1790 }]
peers:
  - name: a
    address: 2001:db8::1
    remoteAs: 4200000000
    passwordFile: secret
    families: [ipv4-unicast, ipv6-unicast]
    bfd: { minimumTransmitMs: 100 }
    importPolicy:
      - prefixes: [{ prefix: 10.0.0.0/8, maximumLength: 24 }]
        communities: [65000:1, no-export, no-llgr]
        action: accept
        set: { localPref: 200, nextHop: 10.0.0.1, largeCommunities: { add: ["1:2:3"] } }
originate: [{ prefix: 10.1.0.0/16, communities: [blackhole] }]
`),
    );
    assert.equal(logLevel, "debug");
    assert.deepEqual(speaker, {
      localAs: 65001,
      routerId: ipv4("192.0.2.1"),
      clusterId: ipv4("192.0.2.9"),
      keptMessageBytes: 0,
      multipath: { maximumPaths: 4, relaxAsPath: true },
      gracefulRestart: { restartTimeSeconds: 60 },
      listen: [{ addresses: [ipAddress("::1"), ipv4("127.0.0.1")], port: 1790 }],
      peers: [
        {
          name: "a",
          address: ipAddress("2001:db8::1"),
          remoteAs: 4200000000,
          password: "pass word",
          families: ["ipv4-unicast", "ipv6-unicast"],
          bfd: { minimumTransmitMs: 100 },
          importPolicy: [
            {
              prefixes: [{ prefix: prefix("10.0.0.0/8"), maximumLength: 24 }],
              communities: [0xfde80001, 0xffffff01, 0xffff0007],
              action: "accept",
              set: {
                localPref: 200,
                nextHop: ipv4("10.0.0.1"),
                largeCommunities: { add: [[1, 2, 3]] },
              },
            },
          ],
        },
      ],
      originate: [{ prefix: prefix("10.1.0.0/16"), communities: [0xffff029a] }],
    });
  });

  it("lets peers share settings by anchors, as many as there are", () => {
    const others = Array.from({ length: 1000 }, (_, i) => {
      return `  - { <<: *client, name: n${i}, address: 10.1.${i >> 8}.${i & 255} }`;
    });
    const { speaker } = readConfig(
      file(`${least}peers:
  - &client
    { name: first, address: 10.0.0.1, remoteAs: 65001, routeReflectorClient: true, holdTimeSeconds: 9 }
${others.join("\n")}
`),
    );
    assert.equal(speaker.peers.length, 1001);
    const { name: _, address: __, ...shared } = speaker.peers[1000]!;
    assert.deepEqual(shared, { remoteAs: 65001, routeReflectorClient: true, holdTimeSeconds: 9 });
    const wrong = others.slice(0, 1).join("").replace("name: n0", "name: n0, hold: 3");
    assert.match(
      problem(
        `${least}peers:\n  - &client { name: a, address: 10.0.0.1, remoteAs: 1 }\n${wrong}\n`,
      ),
      /^FILE: line 5: peers\.n0\.hold: there is no such field/,
    );
  });

  it("refuses aliases of aliases that grow without end", () => {
    const levels = Array.from({ length: 12 }, (_, i) => {
      const inner = i === 0 ? "x" : `*l${i - 1}`;
      return `l${i}: &l${i} [${Array(10).fill(inner).join(", ")}]\n`;
    });
    assert.match(problem(levels.join("")), /^FILE: Excessive alias count/);
  });

  const one = (peer: string) => `${least}peers: [{ name: a, ${peer} }]\n`;
  const mistakes: [string, RegExp][] = [
    [`${least}peers: [`, /^FILE: Flow sequence .* at line 3/],
    [least, /^FILE: line 1: peers: is missing$/],
    [`${least}peers: []\ncolour: red\n`, /^FILE: line 4: colour: there is no such field$/],
    ["", /^FILE: line 1: the file: null is no set of fields \(name: value\)$/],
    [
      one("address: 10.0.0.300, remoteAs: 1"),
      /^FILE: line 3: peers\.a\.address: "10\.0\.0\.300" is no IP address$/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: one"),
      /^FILE: line 3: peers\.a\.remoteAs: "one" is no number$/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: 1, hold_time_seconds: 3"),
      /^FILE: line 3: peers\.a\.hold_time_seconds: there is no such field; is it holdTimeSeconds\?$/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: 1, importPolicy: [{ action: permit }]"),
      /^FILE: line 3: peers\.a\.importPolicy\.0\.action: "permit" is none of accept, reject, continue$/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: 1, addPath: { send: yes }"),
      /addPath\.send: "yes" is neither "all" nor a number$/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: 0"),
      /^FILE: line 3: peers\.a\.remoteAs: 0 is not a whole number/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: 1, passwordFile: none"),
      /^FILE: peers\.a\.passwordFile: ENOENT/,
    ],
    [
      one("address: 10.0.0.3, remoteAs: 1, password: x, passwordFile: y"),
      /^FILE: peers\.a: password and passwordFile are both there$/,
    ],
    [
      `${least}peers: []\noriginate: [{ prefix: 10.0.0.1/8 }]`,
      /^FILE: line 4: originate: 10\.0\.0\.1\/8 has host bits$/,
    ],
    [
      one(
        "address: 10.0.0.3, remoteAs: 1, importPolicy: [{ action: accept, communities: ['1:99999'] }]",
      ),
      /^FILE: line 3: peers\.a\.importPolicy\.0\.communities\.0: "1:99999" is no community/,
    ],
    [
      "routerId: 1\nlocalAS: 1\n",
      /^FILE: line 1: localAs: is missing\nFILE: line 1: routerId: .*\nFILE: line 1: peers: .*\nFILE: line 2: localAS: .* is it localAs\?$/,
    ],
    [
      `${least}peers:
  - { name: a, address: 10.0.0.3, remoteAs: 1, holdTimeSeconds: 2 }
  - name: b
    address: 10.0.0.4
    remoteAs: 1
    bfd: { detectMultiplier: 0 }
`,
      /^FILE: line 4: peers\.a\.holdTimeSeconds: 2 is not .*\nFILE: line 8: peers\.b\.bfd\.detectMultiplier: 0 is not .*$/,
    ],
    [
      `${least}gracefulRestart:
  restartTimeSeconds: 5000
peers: []
`,
      /^FILE: line 4: gracefulRestart\.restartTimeSeconds: 5000 is not .*$/,
    ],
    [
      `${least}peers:
  - { name: a, address: 10.0.0.3, remoteAs: 1 }
  - { name: a, address: 10.0.0.4, remoteAs: 1 }
`,
      /^FILE: line 3: peers: the name a appears twice$/,
    ],
    [
      '{\n"localAs": 1,\n"routerId": "1.2.3.4",\n"peers": 3\n}',
      /^FILE: line 4: peers: 3 is no list$/,
    ],
  ];
  for (const [text, words] of mistakes) {
    it(`refuses ${JSON.stringify(text.replace(least, "… "))}`, () =>
      assert.match(problem(text), words));
  }

  it("says so where there is no file", () => {
    assert.throws(() => readConfig(join(directory, "nothing")), /nothing: ENOENT/);
  });

  it("has every field in docs/reference/bgpd.md", () => {
    const page = readFileSync(new URL("../../docs/reference/bgpd.md", import.meta.url), "utf8");
    assert.ok(allFields.length > 50);
    const missing = allFields.filter((field) => !page.includes(`\`${field}\``));
    assert.deepEqual(missing, []);
  });
});
