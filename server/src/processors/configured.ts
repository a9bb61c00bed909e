// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from '@spoor/core/model/errors.ts';

/**
 * Makes something that a configured pattern or condition may be wrong for.
 * @param path of the key in the configuration
 * @throws {SpoorError} config
 */
export function configured<Made>(path: string, make: () => Made): Made {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof SpoorError)) throw error;
    throw new SpoorError('config', `${path}: ${error.message}`, { cause: error });
  }
}
