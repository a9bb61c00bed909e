// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';

/** Whether what failed may succeed later. */
export function isRetryable(error: unknown): error is SpoorError {
  return error instanceof SpoorError && error.retryable;
}

/** Whether several that were written as one may have been refused for good for what is in one of them. */
export function mayBeOfOne(error: unknown): boolean {
  return !isRetryable(error) && !(error instanceof SpoorError && error.code === 'config');
}

/**
 * Waits for the end of all parts of one whole. When one of them may succeed later, the whole is to be sent again, though others
 * were taken, or never will be: what comes twice is found once.
 * @throws the first error that is retryable, or else the first
 */
export async function settleAll(parts: readonly Promise<void>[]): Promise<void> {
  const errors = (await Promise.allSettled(parts)).flatMap((end) =>
    end.status === 'rejected' ? [end.reason as unknown] : [],
  );
  throwFirst(errors);
}

/** Throws what is told of a whole whose parts failed so: the first error that is retryable, or else the first; nothing without any. */
export function throwFirst(errors: readonly unknown[]): void {
  if (errors.length > 0) throw errors.find(isRetryable) ?? errors[0];
}
