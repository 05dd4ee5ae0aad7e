/** One path object for all routes of a session with equal attributes (and path identifier). Bounded. */

import type { PathAttributes } from "../wire/index.ts";
import { makePath, type Path, type PathParts } from "./path.ts";

const MAXIMUM_SHARED_PATHS = 65_536;

export class PathCache {
  readonly #session: Pick<PathParts, "source" | "identity" | "allowedLocalAs">;
  #paths = new Map<PathAttributes, Path>();
  /** RFC 7911: by path identifier, of which there are few as a rule. */
  #identified = new Map<number, Map<PathAttributes, Path>>();
  #size = 0;

  constructor(session: Pick<PathParts, "source" | "identity" | "allowedLocalAs">) {
    this.#session = session;
  }

  get(attributes: PathAttributes, pathId: number): Path {
    const paths = pathId === 0 ? this.#paths : this.#of(pathId);
    return paths.get(attributes) ?? this.#make(paths, attributes, pathId);
  }

  #of(pathId: number): Map<PathAttributes, Path> {
    let paths = this.#identified.get(pathId);
    if (paths === undefined) {
      paths = new Map();
      this.#identified.set(pathId, paths);
    }
    return paths;
  }

  #make(paths: Map<PathAttributes, Path>, attributes: PathAttributes, pathId: number): Path {
    const path = makePath({ ...this.#session, attributes, pathId });
    if (this.#size++ >= MAXIMUM_SHARED_PATHS) {
      // It costs only sharing.
      this.#paths = new Map();
      this.#identified = new Map();
      this.#size = 0;
      return path;
    }
    paths.set(attributes, path);
    return path;
  }
}
