// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { DEFAULT_TENANT, parseTenant, parseTraceId, type Tenant } from '@spoor/core/model/ids.ts';
import type { SpanPredicate } from '@spoor/core/query/trace-query.ts';
import { storedServices, UNNAMED_SERVICE } from '@spoor/core/query/unnamed-service.ts';
import { UsageError } from '#cli/cli-error.ts';
import type { SpanSelection } from '#storage/columnar/compaction/span-selection.ts';

/** What the command line says of a deletion. */
export interface DeletionWords {
  readonly tenant?: string;
  readonly trace?: readonly string[];
  readonly service?: string;
  readonly operation?: string;
  readonly attribute?: readonly string[];
  readonly start?: string;
  readonly end?: string;
  readonly 'drop-damaged'?: boolean;
  readonly yes?: boolean;
}

/** Names of these options. */
export const DELETION_NAMES = [
  'tenant',
  'trace',
  'service',
  'operation',
  'attribute',
  'start',
  'end',
  'drop-damaged',
  'yes',
] as const;

/** Spans to delete. */
export interface Deletion {
  readonly tenant: Tenant;
  readonly selection: SpanSelection;
  /** Whether damaged blocks that may hold such spans go as a whole. */
  readonly dropUnreadable: boolean;
}

/** @throws {UsageError} no condition, one that cannot be read, or no `--yes` */
export function parseDeletion(words: DeletionWords): Deletion {
  const { trace, service, operation, attribute = [], start, end } = words;
  const args: SpanPredicate[] = attribute.map(attributeEquals);
  if (service === '') {
    throw new UsageError(`--service is empty; spans without a service are of ${UNNAMED_SERVICE}`);
  }
  if (service !== undefined) {
    const stored = storedServices(service).map((name) => textEquals('service', name));
    args.push({ op: 'or', args: stored });
  }
  if (operation !== undefined) args.push(textEquals('name', operation));
  if (args.length === 0 && trace === undefined && start === undefined && end === undefined) {
    throw new UsageError(
      'spoor store delete needs a condition, such as --service NAME or --trace ID; to delete everything, remove the data directory',
    );
  }
  const startMinUnixNano = start === undefined ? undefined : parseTime('start', start);
  const startMaxUnixNano = end === undefined ? undefined : parseTime('end', end);
  if ((startMinUnixNano ?? 0n) >= (startMaxUnixNano ?? 2n ** 64n)) {
    throw new UsageError(`--start ${start} is not before --end ${end}`);
  }
  const deletion: Deletion = {
    tenant: read('tenant', words.tenant ?? DEFAULT_TENANT, parseTenant),
    selection: {
      where: { op: 'and', args },
      traceIds: trace?.map((id) => read('trace', id.toLowerCase(), parseTraceId)),
      startMinUnixNano,
      startMaxUnixNano,
    },
    dropUnreadable: words['drop-damaged'] === true,
  };
  if (words.yes !== true) {
    throw new UsageError(
      `this would delete spans of tenant ${deletion.tenant} for good; add --yes to do it`,
    );
  }
  return deletion;
}

function textEquals(name: 'service' | 'name', value: string): SpanPredicate {
  return { op: 'eq', field: { kind: 'intrinsic', name }, value: { type: 'string', value } };
}

function attributeEquals(word: string): SpanPredicate {
  const at = word.indexOf('=');
  if (at < 1) throw new UsageError(`--attribute ${quote(word)} is not KEY=VALUE`);
  const field = { kind: 'attribute', scope: 'any', key: word.slice(0, at) } as const;
  return { op: 'eq', field, value: { type: 'text', value: word.slice(at + 1) } };
}

/** Unix epoch ns of a time with its zone. */
function parseTime(name: string, text: string): bigint {
  const ms = /(Z|[+-][0-9]{2}:[0-9]{2})$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(ms) || ms < 0) {
    throw new UsageError(
      `--${name} ${quote(text)} is no time with a zone, such as 2026-01-31T12:00:00Z`,
    );
  }
  return BigInt(ms) * 1_000_000n;
}

function read<Value>(name: string, text: string, parse: (text: string) => Value): Value {
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof SpoorError)) throw error;
    throw new UsageError(`--${name}: ${error.message}`);
  }
}
