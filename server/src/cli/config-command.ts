// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from '#config/config.ts';
import { formatConfig } from '#config/print-config.ts';
import { nearestName } from '#config/suggest.ts';
import { UsageError } from './cli-error.ts';

const ACTIONS = ['print', 'validate'];

/**
 * What `spoor config ACTION` prints.
 * @throws {UsageError} the action is missing or unknown
 */
export function configCommand(words: readonly string[], load: () => SpoorConfig): string {
  const [action, ...rest] = words;
  if (action === undefined) throw new UsageError('spoor config needs one of: print, validate');
  if (rest.length > 0)
    throw new UsageError(`spoor config ${action} takes no further word: ${rest[0]}`);
  switch (action) {
    case 'print':
      return formatConfig(load());
    case 'validate':
      load();
      return 'The configuration is valid.\n';
    default: {
      const near = nearestName(action, ACTIONS);
      throw new UsageError(
        `unknown action: spoor config ${action}; ${near === undefined ? `there are: ${ACTIONS.join(', ')}` : `did you mean spoor config ${near}?`}`,
      );
    }
  }
}
