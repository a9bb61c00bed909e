// SPDX-License-Identifier: Apache-2.0
import type { SpoorConfig } from '#config/config.ts';
import { configReference } from '#config/config-reference.ts';
import { isRole, ROLES, type Role } from '#config/presets.ts';
import { formatConfig } from '#config/print-config.ts';
import { nearestName } from '#config/suggest.ts';
import { UsageError } from './cli-error.ts';

const ACTIONS = ['print', 'validate', 'docs'];

/**
 * What `spoor config ACTION` prints.
 * @throws {UsageError} the action is missing or unknown
 */
export function configCommand(
  words: readonly string[],
  load: (role: Role | undefined) => SpoorConfig,
): string {
  const [action, role, ...rest] = words;
  if (action === undefined) {
    throw new UsageError(`spoor config needs one of: ${ACTIONS.join(', ')}`);
  }
  if (rest.length > 0)
    throw new UsageError(`spoor config ${action} takes no further word: ${rest[0]}`);
  switch (action) {
    case 'print':
      return formatConfig(load(parseRole(role)));
    case 'validate':
      load(parseRole(role));
      return 'The configuration is valid.\n';
    case 'docs':
      if (role !== undefined) {
        throw new UsageError(`spoor config docs takes no further word: ${role}`);
      }
      return configReference();
    default: {
      const near = nearestName(action, ACTIONS);
      throw new UsageError(
        `unknown action: spoor config ${action}; ${near === undefined ? `there are: ${ACTIONS.join(', ')}` : `did you mean spoor config ${near}?`}`,
      );
    }
  }
}

function parseRole(word: string | undefined): Role | undefined {
  if (word === undefined || isRole(word)) return word;
  const near = nearestName(word, ROLES);
  throw new UsageError(
    `there is no role ${word}; ${near === undefined ? `there are: ${ROLES.join(', ')}` : `did you mean ${near}?`}`,
  );
}
