/** Sends an answer over HTTP: a piece when the one before was taken, and others are served in between. */

import type { ServerResponse } from "node:http";
import { setImmediate } from "node:timers/promises";
import type { BgpAnswer } from "./answer.ts";

/** @throws what making a piece throws; the response is broken off then */
export async function sendAnswer(response: ServerResponse, answer: BgpAnswer): Promise<void> {
  response.writeHead(answer.code, { "content-type": answer.type });
  if (typeof answer.body === "string") {
    response.end(answer.body);
    return;
  }
  try {
    for (const piece of answer.body) {
      if (response.destroyed) return;
      if (piece.length > 0 && !response.write(piece)) await drained(response);
      else await setImmediate();
    }
    response.end();
  } catch (error) {
    response.destroy();
    throw error;
  }
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      response.off("drain", done);
      response.off("close", done);
      resolve();
    };
    response.once("drain", done);
    response.once("close", done);
  });
}
