// SPDX-License-Identifier: Apache-2.0
import { closeSync, fdatasyncSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/**
 * What the disk itself needs: writes of one size, each followed by `fdatasync`, to a file of its own.
 * @returns the time of each write with its sync, ms
 */
export function probeSync(directory: string, sizeBytes: number, count: number): number[] {
  const path = join(directory, 'sync-probe');
  const file = openSync(path, 'w');
  const block = Buffer.alloc(sizeBytes, 1);
  const times: number[] = [];
  try {
    for (let i = 0; i < count; i++) {
      const startMs = performance.now();
      writeSync(file, block, 0, sizeBytes, i * sizeBytes);
      fdatasyncSync(file);
      times.push(performance.now() - startMs);
    }
  } finally {
    closeSync(file);
    unlinkSync(path);
  }
  return times;
}
