// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { QueryContext } from './query-context.ts';

/**
 * What to say beside an answer to a tenant while some of its spans cannot be read; empty while all can. Ask when the answer is
 * there: a question may be what finds the damage.
 */
export function incompleteWarnings({ reader }: QueryContext, tenant: Tenant): readonly string[] {
  const unreadable = reader.unreadable(tenant);
  if (unreadable === undefined) return [];
  const { spans, blocks, startMinUnixNano, startMaxUnixNano } = unreadable;
  const range = `from ${formatTime(startMinUnixNano)} to ${formatTime(startMaxUnixNano)}`;
  const what = `${spans} spans in ${blocks} ${blocks === 1 ? 'block' : 'blocks'}, starting ${range}`;
  return [`this answer may be incomplete: ${what}, cannot be read; the log and /status say why`];
}

function formatTime(unixNano: bigint): string {
  return new Date(Number(unixNano / 1_000_000n)).toISOString();
}
