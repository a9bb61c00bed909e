// SPDX-License-Identifier: Apache-2.0
import { SpanKind, type Span } from '@spoor/core/model/span.ts';
import { formatSpanId, type SpanId } from '@spoor/core/model/ids.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';

/** A span's own id and its parent's. */
type SpanIds = Pick<Span, 'spanId' | 'parentSpanId'>;

/** Rows after which the event loop is given a chance. */
const ROWS_AT_A_TIME = 1024;

/**
 * The span ids that several spans of a trace have.
 *
 * Zipkin's clients give both sides of a call one id. Whoever draws a trace from Jaeger's answers takes ids for unique, so, as
 * Jaeger does, the server's span gets an id that the trace does not have yet and becomes the child of the client's; what
 * names the shared id as its parent is a child of the server. Where several servers share one id, it is the earliest.
 */
export class SharedSpanIds {
  /** Spans that are left with a shared id, by that id. */
  readonly #sharers = new Map<SpanId, number>();
  /** The new id of a server's span, by its row. */
  readonly #newIds = new Map<number, SpanId>();
  /** The new id of the server that has the children of a shared id. */
  readonly #newParents = new Map<SpanId, SpanId>();

  /**
   * Looks through a trace. Yields nothing but time.
   * @param separate whether the two sides of a call are to get different ids
   */
  static *find(batch: SpanBatch, separate: boolean): Generator<string, SharedSpanIds, undefined> {
    const shared = new SharedSpanIds();
    if (areAllDifferent(batch)) return shared;
    const rowOf = new Map<SpanId, number>();
    const rowsOf = new Map<SpanId, number[]>();
    for (let row = 0; row < batch.rows; row++) {
      const id = formatSpanId(batch.spanId, row * 8);
      const first = rowOf.get(id);
      if (first === undefined) rowOf.set(id, row);
      else if (rowsOf.get(id)?.push(row) === undefined) rowsOf.set(id, [first, row]);
      if (row % ROWS_AT_A_TIME === ROWS_AT_A_TIME - 1) yield '';
    }
    let last = 0;
    const unusedId = (): SpanId => {
      let id: SpanId;
      do {
        // Counted in hex digits, as formatSpanId writes them.
        id = (++last).toString(16).padStart(16, '0') as SpanId;
      } while (rowOf.has(id));
      return id;
    };
    for (const [id, rows] of rowsOf) {
      let left = rows.length;
      if (separate && rows.some((row) => batch.kind[row] === SpanKind.client)) {
        for (const row of rows) {
          if (batch.kind[row] !== SpanKind.server) continue;
          const newId = unusedId();
          shared.#newIds.set(row, newId);
          if (!shared.#newParents.has(id)) shared.#newParents.set(id, newId);
          left--;
        }
      }
      if (left > 1) shared.#sharers.set(id, left);
    }
    return shared;
  }

  /** Whether there are none, and {@link place} and {@link warnings} have nothing to say. */
  get isEmpty(): boolean {
    return this.#sharers.size === 0 && this.#newIds.size === 0;
  }

  /** The span of a row with the ids that it is shown with. */
  place(span: Span, row: number): Span {
    const { spanId, parentSpanId } = this.placeIds(span, row);
    if (spanId === span.spanId && parentSpanId === span.parentSpanId) return span;
    return { ...withParent(span, parentSpanId), spanId };
  }

  /** The ids alone. */
  placeIds(ids: SpanIds, row: number): SpanIds {
    const { spanId, parentSpanId } = ids;
    const newId = this.#newIds.get(row);
    if (newId !== undefined) return { spanId: newId, parentSpanId: spanId };
    const newParent = parentSpanId === '' ? undefined : this.#newParents.get(parentSpanId);
    return newParent === undefined ? ids : { spanId, parentSpanId: newParent };
  }

  /** What is to be said of a span that {@link place} gave. */
  warnings({ spanId }: Span): string[] {
    const sharers = this.#sharers.get(spanId);
    return sharers === undefined ? [] : [`${sharers} different spans have this span id`];
  }
}

/** Whether the ids are told apart by their last four bytes, as those of most traces: that is seen without a text for each. */
function areAllDifferent({ rows, spanId }: SpanBatch): boolean {
  if (rows > ROWS_AT_A_TIME) return false;
  const ends = new Set<number>();
  const words = new DataView(spanId.buffer, spanId.byteOffset, spanId.byteLength);
  for (let row = 0; row < rows; row++) ends.add(words.getInt32(row * 8 + 4));
  return ends.size === rows;
}

/** A link to the parent, which says what kind of parent it is, goes along. */
function withParent(span: Span, parentSpanId: Span['parentSpanId']): Span {
  const links = span.links.map((link) =>
    link.traceId === span.traceId && link.spanId === span.parentSpanId
      ? { ...link, spanId: parentSpanId }
      : link,
  );
  return { ...span, parentSpanId, links };
}
