/**
 * One path object for all routes of a session with equal attributes (and path identifier). What no route
 * has and no table of attributes knows is forgotten: a peer decides how many sets there are, and how large.
 */

import type { PathAttributes } from "../wire/index.ts";
import { makePath, type Path, type PathParts } from "./path.ts";

/** Of those with identifiers: a peer may take another one for each route. */
const MAXIMUM_IDENTIFIED = 65_536;

export class PathCache {
  readonly #session: Pick<PathParts, "source" | "identity" | "allowedLocalAs">;
  readonly #plain = new WeakMap<PathAttributes, Path>();
  /** RFC 7911: by path identifier. */
  #identified = new WeakMap<PathAttributes, Map<number, Path>>();
  #count = 0;

  constructor(session: Pick<PathParts, "source" | "identity" | "allowedLocalAs">) {
    this.#session = session;
  }

  get(attributes: PathAttributes, pathId: number): Path {
    if (pathId !== 0) return this.#withId(attributes, pathId);
    let path = this.#plain.get(attributes);
    if (path === undefined) {
      path = makePath({ ...this.#session, attributes, pathId });
      this.#plain.set(attributes, path);
    }
    return path;
  }

  #withId(attributes: PathAttributes, pathId: number): Path {
    let paths = this.#identified.get(attributes);
    const known = paths?.get(pathId);
    if (known !== undefined) return known;
    if (this.#count++ >= MAXIMUM_IDENTIFIED) {
      // It costs only sharing.
      this.#identified = new WeakMap();
      this.#count = 0;
      paths = undefined;
    }
    if (paths === undefined) {
      paths = new Map();
      this.#identified.set(attributes, paths);
    }
    const path = makePath({ ...this.#session, attributes, pathId });
    paths.set(pathId, path);
    return path;
  }
}
