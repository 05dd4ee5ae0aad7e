/** What uses the lab that has no name of its own, one after the other: it is there once in a machine. */

import "./usual-lab/readme.ts";
import "./usual-lab/change-mode-guide.ts";
import "./usual-lab/demo.ts";
