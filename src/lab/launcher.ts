/** The command line of this checkout, as an operator types it. */

import { fileURLToPath } from "node:url";

/** `bin/switchyard`, as an absolute path. */
export const launcher = fileURLToPath(new URL("../../bin/switchyard", import.meta.url));
