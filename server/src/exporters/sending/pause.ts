// SPDX-License-Identifier: Apache-2.0
import type { Later } from '#later.ts';

/**
 * Waits, but not when a signal has fired, or fires meanwhile.
 * @returns false when it has
 */
export function pause(ms: number, signal: AbortSignal, later: Later): Promise<boolean> {
  if (signal.aborted) return Promise.resolve(false);
  return new Promise((resolve) => {
    const end = (): void => {
      signal.removeEventListener('abort', end);
      cancel();
      resolve(!signal.aborted);
    };
    const cancel = later(end, ms);
    signal.addEventListener('abort', end);
  });
}
