// SPDX-License-Identifier: Apache-2.0

const MIB = 1024 * 1024;

/** What the program itself takes before it holds any data: Node, its libraries, code. */
const PROCESS_MIB = 100;

/**
 * Share of bodies in what is left: 60 MiB at the usual limit of 400. A body stays until its spans are on disk, and the sockets
 * and batches on its way take as much again.
 */
const BODIES_SHARE = 40 / 200;

/** Room for one body of the usual largest size, 16 MiB, while it is decompressed into a buffer that doubles. */
const LEAST_BODIES_MIB = 36;

/** The smallest limit with room for a request of the usual size in every part. */
export const MIN_MEMORY_LIMIT_MIB = 150;

/** How `memory_limit_mib` is divided. */
export interface MemoryShares {
  /** Request bodies in flight, all receivers together. */
  readonly bodiesBytes: number;
  /** The whole process. */
  readonly processBytes: number;
}

/** Divides the memory of the process among its parts. */
export function memoryShares(limitMib: number): MemoryShares {
  const dataMib = limitMib - PROCESS_MIB;
  const bodiesMib = Math.max(LEAST_BODIES_MIB, Math.floor(dataMib * BODIES_SHARE));
  return { bodiesBytes: bodiesMib * MIB, processBytes: limitMib * MIB };
}
