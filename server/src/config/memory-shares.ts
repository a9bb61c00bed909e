// SPDX-License-Identifier: Apache-2.0

const MIB = 1024 * 1024;

/** What the program itself takes before it holds any data: Node, its libraries, code. */
const PROCESS_MIB = 100;

/** Parts of the rest, of 200 at the usual limit of 300 MiB: what is missing to 200 is reserve. */
const BODIES_SHARE = 64 / 200;

/** The smallest limit with room for a request of the usual size in every part. */
export const MIN_MEMORY_LIMIT_MIB = 150;

/** How `memory_limit_mib` is divided. */
export interface MemoryShares {
  /** Request bodies in flight, all receivers together. */
  readonly bodiesBytes: number;
}

/** Divides the memory of the process among its parts. */
export function memoryShares(limitMib: number): MemoryShares {
  const dataMib = limitMib - PROCESS_MIB;
  return { bodiesBytes: Math.floor(dataMib * BODIES_SHARE) * MIB };
}
