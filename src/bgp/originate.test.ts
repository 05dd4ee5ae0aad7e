/** What is originated, changed without the rest. */

import assert from "node:assert/strict";
import { it } from "node:test";
import { prefix } from "../lib/index.ts";
import { A, B, pair, SECOND } from "./testing/simulated-world.ts";

const route = (text: string) => ({ prefix: prefix(text) });

it("sends only what has changed", async () => {
  const world = await pair();
  world.events.length = 0;
  const speaker = world.speakers.get(A)!;
  speaker.originate([route("10.1.0.0/26"), route("10.96.0.9/32")]);
  await world.advance(SECOND);
  assert.deepEqual(world.routes(B), ["10.1.0.0/26", "10.96.0.9/32"]);
  speaker.originate([route("10.96.0.9/32")]);
  await world.advance(SECOND);
  assert.deepEqual(world.events, [`${B} +10.96.0.9/32`, `${B} -10.1.0.0/26`]);
});

it("is not undone by what was configured before, and refuses what configure refuses", async () => {
  const world = await pair();
  const speaker = world.speakers.get(A)!;
  speaker.originate([route("10.96.0.9/32")]);
  const wrong = () => speaker.originate([route("10.96.0.9/12")]);
  assert.throws(wrong, { code: "INVALID_ARGUMENT", message: /10\.96\.0\.9\/12 has host bits/ });
  await world.advance(SECOND);
  assert.deepEqual(world.routes(B), ["10.96.0.9/32"]);
  assert.deepEqual(world.state(A), ["Established"]);
});

it("changes prefix by prefix: what is added and taken away is sent, and the rest is not looked at", async () => {
  const world = await pair();
  const speaker = world.speakers.get(A)!;
  speaker.originate([route("10.1.0.0/26"), route("10.96.0.9/32")]);
  await world.advance(SECOND);
  world.events.length = 0;
  const remove = [prefix("10.96.0.9/32"), prefix("10.99.0.0/16"), prefix("10.96.0.8/32")];
  speaker.changeOriginated({ add: [route("10.96.0.7/32"), route("10.96.0.8/32")], remove });
  speaker.changeOriginated({ add: [route("10.1.0.0/26")], remove: [] });
  await world.advance(SECOND);
  assert.deepEqual(world.events.sort(), [
    ...[`${B} +10.96.0.7/32`, `${B} +10.96.0.8/32`],
    `${B} -10.96.0.9/32`,
  ]);
  const wrong = () => speaker.changeOriginated({ add: [route("10.96.0.9/12")], remove: [] });
  assert.throws(wrong, { code: "INVALID_ARGUMENT" });
  speaker.originate([route("10.96.0.7/32")]);
  await world.advance(SECOND);
  assert.deepEqual(world.routes(B), ["10.96.0.7/32"]);
});

it("is what it was changed to when the speaker is started again", async () => {
  const world = await pair();
  const speaker = world.speakers.get(A)!;
  await speaker.stop({ notify: true });
  speaker.changeOriginated({ add: [route("10.96.0.7/32")], remove: [prefix("10.1.0.0/26")] });
  await speaker.start();
  await world.advance(60 * SECOND);
  assert.deepEqual(world.routes(B), ["10.96.0.7/32"]);
});
