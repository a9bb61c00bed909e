// SPDX-License-Identifier: Apache-2.0
import { isRetryable, throwFirst } from './settle-all.ts';
import { WRITES_OF_ONE_BODY } from './trace-sink.ts';

/** The batcher and a processor may both split what they have: together they stay below what is always let in. */
const PARTS_UNDER_WAY = WRITES_OF_ONE_BODY / 2;

/**
 * Writes a whole in parts, a few at a time, the last one once all others are written. After a failure that is to be tried again no
 * further part is begun, since all of them come again; a part that will never be taken does not keep others back.
 * @param write `completes` is true for the last part when everything before it is written: then the whole is
 * @throws the first error that is retryable, or else the first
 */
export async function writeParts<Part>(
  parts: readonly Part[],
  write: (part: Part, completes: boolean) => Promise<void>,
): Promise<void> {
  if (parts.length === 1) return write(parts[0]!, true);
  const errors: unknown[] = [];
  const rest = parts.slice(0, -1).values();
  const writeSome = async (): Promise<void> => {
    for (const part of rest) {
      await write(part, false).catch((error: unknown) => errors.push(error));
      if (errors.some(isRetryable)) return;
    }
  };
  await Promise.all(Array.from({ length: PARTS_UNDER_WAY }, writeSome));
  if (parts.length > 0 && !errors.some(isRetryable)) {
    await write(parts.at(-1)!, errors.length === 0).catch((error: unknown) => errors.push(error));
  }
  throwFirst(errors);
}
