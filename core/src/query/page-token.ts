// SPDX-License-Identifier: Apache-2.0
import { quote, SpoorError } from '#model/errors.ts';
import { parseTraceId } from '#model/ids.ts';
import { hashBytes } from '#model/symbol-interner.ts';
import { encodeText } from '#model/utf8.ts';
import { canonicalText } from './canonical-text.ts';
import type { TracePosition, TraceQuery } from './trace-query.ts';

/** First part of every token; another one is from another version. */
const VERSION = '1';

/** version . key . trace id . end of the window . digest */
const TOKEN = /^1\.(-?\d{1,20})\.([0-9a-f]{32})\.(-?\d{1,40})\.([0-9a-f]{16})$/;

/** Longer than any token. */
const MAX_TOKEN_LENGTH = 150;

/** A page token, read but not yet compared with the query that it is given with. */
export interface PageToken {
  /** End of the window of all pages: what `now` was when the first one was asked for. Unix epoch ns. */
  readonly startMaxUnixNano: bigint;
  readonly position: TracePosition;
  readonly digest: string;
}

/**
 * The text with which an API lets its caller ask for the next page: letters, digits, dots and minus signs. It holds the
 * position, the end of the window, and a digest of both and of the query, its order included but not its limit.
 * @param next as the store gave it with the page of this query
 */
export function formatPageToken(query: TraceQuery, next: TracePosition): string {
  const { startMaxUnixNano } = query;
  return [VERSION, next.key, next.traceId, startMaxUnixNano, digestOf(query, next)].join('.');
}

/**
 * Reads a token. The query of the next page is made with its `startMaxUnixNano`, and then given to {@link resumeQuery}.
 * @throws {SpoorError} invalid_argument
 */
export function parsePageToken(text: string): PageToken {
  const match = text.length > MAX_TOKEN_LENGTH ? null : TOKEN.exec(text);
  if (match === null) {
    const version = /^(\d+)\./.exec(text)?.[1];
    const why =
      version !== undefined && version !== VERSION
        ? `is of version ${version}; this is version ${VERSION}`
        : 'is not one that a page of traces came with';
    throw new SpoorError('invalid_argument', `page token ${quote(text)} ${why}`);
  }
  const [, key, traceId, startMax, digest] = match;
  return {
    startMaxUnixNano: BigInt(startMax!),
    position: { key: BigInt(key!), traceId: parseTraceId(traceId!) },
    digest: digest!,
  };
}

/**
 * The query for the page that a token stands for.
 * @param query as the first page was asked for, but with the token's `startMaxUnixNano`
 * @throws {SpoorError} invalid_argument: the token was changed, or is that of another query
 */
export function resumeQuery(query: TraceQuery, token: PageToken): TraceQuery {
  const { position } = token;
  const isSame =
    query.startMaxUnixNano === token.startMaxUnixNano && digestOf(query, position) === token.digest;
  if (isSame) return { ...query, after: position };
  throw new SpoorError(
    'invalid_argument',
    'the page token is that of another search: conditions, order and window must stay the same from page to page',
  );
}

/** 64 bits of everything that must not change between pages. They are to find mistakes, not to withstand an attack. */
function digestOf(query: TraceQuery, position: TracePosition): string {
  const { where, having, startMinUnixNano, startMaxUnixNano, order = 'newest' } = query;
  const { key, traceId } = position;
  const text = canonicalText([
    where,
    having,
    startMinUnixNano,
    startMaxUnixNano,
    order,
    key,
    traceId,
  ]);
  return [`a${text}`, `${text}b`]
    .map((half) => {
      const bytes = encodeText(half);
      return hashBytes(bytes, 0, bytes.length).toString(16).padStart(8, '0');
    })
    .join('');
}
