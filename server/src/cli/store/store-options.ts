// SPDX-License-Identifier: Apache-2.0
import { UsageError } from '#cli/cli-error.ts';
import { readOptions } from '#cli/option-check.ts';
import { nearestName } from '#config/suggest.ts';
import { DELETION_NAMES, parseDeletion, type Deletion, type DeletionWords } from './deletion.ts';

/** What `spoor store` can do. */
const STORE_ACTIONS = ['verify', 'stats', 'compact', 'delete'] as const;
type StoreAction = (typeof STORE_ACTIONS)[number];

/** The command line of `spoor store`. */
export interface StoreOptions {
  /** Undefined for help on all of them. */
  readonly action: StoreAction | undefined;
  readonly dataDirectory: string | undefined;
  readonly configFile: string | undefined;
  readonly sets: readonly string[];
  readonly json: boolean;
  /** What `delete` is to delete; undefined for the other actions. */
  readonly deletion: Deletion | undefined;
  readonly help: boolean;
}

/** Text of `spoor store --help`. */
export const STORE_HELP = `Looks after stored traces while no server uses them.

Usage:
  spoor store verify [options]   read every byte, say what is damaged and what that means
  spoor store stats [options]    tenants, blocks, spans, bytes by column, time ranges
  spoor store compact [options]  merge blocks as far as they go: fewer files, fewer bytes
  spoor store delete [options]   delete spans for good, those that meet all conditions

verify and stats change nothing.

Options:
  --data DIR                 directory of the stored traces
                             (default: SPOOR_DATA, else ./spoor-data)
  --config FILE, --set path.to.key=value
                             as for the server, to find its directory
  --json                     one JSON document on standard output
  -h, --help                 this text

Conditions of delete, at least one:
  --trace ID                 in this trace; may be repeated, then in any of them
  --service NAME             of this service
  --operation NAME           with this name
  --attribute KEY=VALUE      with this attribute of span, resource, scope or event;
                             may be repeated, then with all of them
  --start TIME, --end TIME   started at or after, and before: 2026-01-31T12:00:00Z
and
  --tenant NAME              of this tenant (default: default)
  --drop-damaged             blocks that cannot be read and may hold such spans
                             go as a whole; without it nothing is deleted then
  --yes                      do it: it cannot be undone

Ends with 0 when all is well, with 1 when something is damaged or could not be
done, with 2 when the command line is wrong.
`;

const OPTIONS = {
  data: { type: 'string' },
  config: { type: 'string' },
  set: { type: 'string', multiple: true },
  json: { type: 'boolean' },
  tenant: { type: 'string' },
  trace: { type: 'string', multiple: true },
  service: { type: 'string' },
  operation: { type: 'string' },
  attribute: { type: 'string', multiple: true },
  start: { type: 'string' },
  end: { type: 'string' },
  'drop-damaged': { type: 'boolean' },
  yes: { type: 'boolean' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Reads the words after `spoor store`.
 * @throws {UsageError}
 */
export function parseStoreOptions(args: readonly string[]): StoreOptions {
  const { values, positionals } = readOptions('spoor store', args, OPTIONS);
  const [word, ...rest] = positionals;
  const help = values.help === true;
  const action = STORE_ACTIONS.find((known) => known === word);
  if (action === undefined && !(help && word === undefined)) {
    const near = word === undefined ? undefined : nearestName(word, STORE_ACTIONS);
    throw new UsageError(
      word === undefined
        ? `spoor store needs one of: ${STORE_ACTIONS.join(', ')}`
        : `unknown action: spoor store ${word}; ${near === undefined ? `there are: ${STORE_ACTIONS.join(', ')}` : `did you mean spoor store ${near}?`}`,
    );
  }
  if (rest.length > 0) {
    throw new UsageError(`spoor store ${word} takes no further word: ${rest[0]}`);
  }
  return {
    action,
    dataDirectory: values.data,
    configFile: values.config,
    sets: values.set ?? [],
    json: values.json === true,
    deletion: readDeletion(action, values),
    help,
  };
}

function readDeletion(
  action: StoreAction | undefined,
  values: DeletionWords & { readonly help?: boolean },
): Deletion | undefined {
  if (action === 'delete') return values.help === true ? undefined : parseDeletion(values);
  const given = DELETION_NAMES.find((name) => values[name] !== undefined);
  if (given !== undefined) throw new UsageError(`--${given} is for spoor store delete only`);
  return undefined;
}
