// SPDX-License-Identifier: Apache-2.0
import { AttributeLevel, ValueType } from '@spoor/core/model/attributes.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import type { EditedCell, SpanEdit } from '@spoor/core/model/span-edit.ts';
import { isField, symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { encodeText } from '@spoor/core/model/utf8.ts';
import type { AttributeAction } from './attribute-action.ts';
import { type AttributeSlot, changedValue, givenSlot } from './attribute-slot.ts';
import { editResource } from './resource-edit.ts';
import type { Redaction } from './redaction.ts';

/** Whose attributes are changed. */
export interface EditedPlaces {
  /** Levels of attributes. */
  readonly levels: ReadonlySet<AttributeLevel>;
  readonly resources: boolean;
}

const NONE = new Uint8Array(0);

/**
 * The actions of a processor on one batch: each shape and each resource is worked out once, each distinct value changed
 * once.
 */
export class AttributesEdit implements SpanEdit {
  readonly #batch: SpanBatch;
  readonly #actions: readonly AttributeAction[];
  readonly #places: EditedPlaces;
  /** Those that may do something to attributes in cells. */
  readonly #cellActions: readonly AttributeAction[];
  /** By level, then by shape; null: it stays. */
  readonly #cells: (readonly EditedCell[] | null)[][] = [];
  /** By code; null: it stays. */
  readonly #resources: (Uint8Array | null)[] = [];

  constructor(batch: SpanBatch, actions: readonly AttributeAction[], places: EditedPlaces) {
    this.#batch = batch;
    this.#actions = actions;
    this.#places = places;
    this.#cellActions = this.#unlessIdle(actions);
  }

  /** Whether anything of a row changes. */
  changes(row: number): boolean {
    const { resource, shape, events, links } = this.#batch;
    const { span, event, link } = AttributeLevel;
    return (
      this.resource(resource[row]!) !== undefined ||
      this.cells(span, shape[row]!) !== undefined ||
      this.#someChange(event, events, row) ||
      this.#someChange(link, links, row)
    );
  }

  resource(code: number): Uint8Array | undefined {
    if (!this.#places.resources) return undefined;
    let symbol = this.#resources[code];
    if (symbol === undefined) {
      const given = symbolBytes(this.#batch.resources, code);
      symbol = editResource(given, (slots) => applyAll(this.#actions, slots)) ?? null;
      this.#resources[code] = symbol;
    }
    return symbol ?? undefined;
  }

  cells(level: AttributeLevel, shape: number): readonly EditedCell[] | undefined {
    if (this.#cellActions.length === 0 || !this.#places.levels.has(level)) return undefined;
    const byShape = (this.#cells[level] ??= []);
    let cells = byShape[shape];
    if (cells === undefined) byShape[shape] = cells = this.#edited(level, shape) ?? null;
    return cells ?? undefined;
  }

  #someChange(
    level: AttributeLevel,
    owners: { readonly rowOffsets: Uint32Array; readonly shape: Uint32Array } | undefined,
    row: number,
  ): boolean {
    if (owners === undefined || !this.#places.levels.has(level)) return false;
    for (let i = owners.rowOffsets[row]!; i < owners.rowOffsets[row + 1]!; i++) {
      if (this.cells(level, owners.shape[i]!) !== undefined) return true;
    }
    return false;
  }

  /** Attributes and fields of a shape after all actions; undefined when nothing changes. */
  #edited(level: AttributeLevel, shape: number): EditedCell[] | undefined {
    const { shapes, keys } = this.#batch;
    const first = shapes.offsets[shape]!;
    const slots: AttributeSlot[] = [];
    const fields: EditedCell[] = [];
    for (let at = first; at < shapes.offsets[shape + 1]!; at++) {
      const { level: own, type, key } = this.#batch.column(shapes.columns[at]!);
      const from = at - first;
      if (!isField(own)) slots.push(givenSlot(symbolText(keys, key), type, from));
      else
        fields.push({
          level: own,
          type,
          key: symbolBytes(keys, key),
          from,
          isKept: true,
          value: NONE,
          map: undefined,
        });
    }
    const edited = applyAll(this.#cellActions, slots);
    if (edited === slots) return undefined;
    return [...edited.map((slot) => cellOf(level, slot, slots.includes(slot))), ...fields];
  }

  /** Leaves redactions out that find nothing in this batch, as most do in most: then it need not be copied. */
  #unlessIdle(actions: readonly AttributeAction[]): AttributeAction[] {
    let hasNewValues = false;
    return actions.filter(({ redaction, makesValues }) => {
      if (redaction !== undefined && !hasNewValues && !this.#mayHide(redaction)) return false;
      hasNewValues ||= makesValues;
      return true;
    });
  }

  /** Whether a redaction may find something in the values of the batch. */
  #mayHide(redaction: Redaction): boolean {
    const { values, columnCount } = this.#batch;
    for (let id = 0; id < columnCount; id++) {
      const { level, type, count } = this.#batch.column(id);
      const isList = type === ValueType.array || type === ValueType.kvlist;
      if (isList && count > 0 && this.#places.levels.has(level)) return true;
    }
    const { bytes, offsets, count } = values;
    for (let entry = 0; entry < count; entry++) {
      if (redaction.isIn(bytes, offsets[entry]!, offsets[entry + 1]!)) return true;
    }
    return false;
  }
}

function applyAll(
  actions: readonly AttributeAction[],
  slots: readonly AttributeSlot[],
): readonly AttributeSlot[] {
  return actions.reduce((list, action) => action.apply(list), slots);
}

function cellOf(level: AttributeLevel, slot: AttributeSlot, isKept: boolean): EditedCell {
  const { key, type, from, value, changes } = slot;
  if (isKept) return { level, type, key: NONE, from, isKept, value: NONE, map: undefined };
  const cell = { level, type, key: encodeText(key), from, isKept: false };
  if (from < 0)
    return { ...cell, value: changedValue(slot, value, 0, value.length), map: undefined };
  if (changes.length === 0) return { ...cell, value, map: undefined };
  const known = new Map<number, Uint8Array>();
  return {
    ...cell,
    value,
    map(entry, bytes, start, end) {
      let changed = known.get(entry);
      if (changed === undefined) {
        known.set(entry, (changed = changedValue(slot, bytes, start, end)));
      }
      return changed;
    },
  };
}
