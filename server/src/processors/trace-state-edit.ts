// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, FIELD_KEYS, ValueType } from '@spoor/core/model/attributes.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { EditedCell, SpanEdit } from '@spoor/core/model/span-edit.ts';
import { isField, symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';

const TRACE_STATE = encodeText(FIELD_KEYS.traceState);
const NONE = new Uint8Array(0);

/** Gives spans another trace state while they are copied: set `traceState` before each. */
export class TraceStateEdit implements SpanEdit {
  traceState: Uint8Array = NONE;
  readonly #batch: SpanBatch;
  /** By shape, then by trace state. */
  readonly #cells: (Map<Uint8Array, readonly EditedCell[]> | undefined)[] = [];
  /** By shape, the place of the trace state in it, -1 where it has none. */
  readonly #places: number[] = [];

  constructor(batch: SpanBatch) {
    this.#batch = batch;
  }

  /** Entry, in the batch's values, of the trace state of a row; -1 where it has none. */
  entryOf(row: number): number {
    const { shape, cells } = this.#batch;
    const place = this.#placeIn(shape[row]!);
    return place < 0 ? -1 : cells.codes[cells.rowStart[row]! + place]!;
  }

  resource(): undefined {
    return undefined;
  }

  cells(level: AttributeLevel, shape: number): readonly EditedCell[] | undefined {
    if (level !== AttributeLevel.span) return undefined;
    const byState = (this.#cells[shape] ??= new Map());
    let cells = byState.get(this.traceState);
    if (cells === undefined) byState.set(this.traceState, (cells = this.#edited(shape)));
    return cells;
  }

  #edited(shape: number): EditedCell[] {
    const { shapes, keys } = this.#batch;
    const cells: EditedCell[] = [];
    const first = shapes.offsets[shape]!;
    const count = shapes.offsets[shape + 1]! - first;
    const place = this.#placeIn(shape);
    const state: EditedCell = {
      level: AttributeLevel.spanField,
      type: ValueType.string,
      key: TRACE_STATE,
      from: -1,
      isKept: false,
      value: this.traceState,
      map: undefined,
    };
    for (let i = 0; i < count; i++) {
      if (i === place) {
        cells.push(state);
        continue;
      }
      const { level, type, key } = this.#batch.column(shapes.columns[first + i]!);
      // Fields stand in the order of the protocol, where only the status message comes before.
      if (place < 0 && isField(level) && !cells.includes(state) && !this.#isBefore(key)) {
        cells.push(state);
      }
      cells.push({
        level,
        type,
        key: symbolBytes(keys, key),
        from: i,
        isKept: true,
        value: NONE,
        map: undefined,
      });
    }
    if (!cells.includes(state)) cells.push(state);
    return cells;
  }

  #isBefore(key: number): boolean {
    return symbolText(this.#batch.keys, key) === FIELD_KEYS.statusMessage;
  }

  #placeIn(shape: number): number {
    return (this.#places[shape] ??= this.#findPlace(shape));
  }

  #findPlace(shape: number): number {
    const { shapes, keys } = this.#batch;
    const first = shapes.offsets[shape]!;
    for (let i = first; i < shapes.offsets[shape + 1]!; i++) {
      const { level, type, key } = this.#batch.column(shapes.columns[i]!);
      if (
        level === AttributeLevel.spanField &&
        type === ValueType.string &&
        symbolText(keys, key) === FIELD_KEYS.traceState
      ) {
        return i - first;
      }
    }
    return -1;
  }
}
