/** What uses the lab that has no name of its own, one after the other: it is there once in a machine. */

import "./default-lab/readme.ts";
import "./default-lab/change-mode-guide.ts";
import "./default-lab/demo.ts";
