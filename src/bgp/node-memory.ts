/** The memory of this process as V8 counts it: the heap, and what lies outside and is held by it. */

import { constants, type PerformanceNodeEntry, PerformanceObserver } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Memory } from "./memory-guard.ts";

export const nodeMemory: Memory = {
  watch(listener) {
    const observer = new PerformanceObserver((list) => {
      const major = (list.getEntries() as PerformanceNodeEntry[]).some(
        ({ detail }) => (detail as { kind: number }).kind === constants.NODE_PERFORMANCE_GC_MAJOR,
      );
      if (!major) return;
      const { used_heap_size, external_memory, heap_size_limit } = getHeapStatistics();
      listener({ usedBytes: used_heap_size + external_memory, limitBytes: heap_size_limit });
    });
    observer.observe({ entryTypes: ["gc"] });
    return () => observer.disconnect();
  },
};
