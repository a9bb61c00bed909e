// SPDX-License-Identifier: Apache-2.0
import { formatTraceId } from '@spoor/core/model/ids.ts';
import { StatusCode } from '@spoor/core/model/span.ts';
import type { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { IN_FIELD } from '@spoor/core/model/span-columns.ts';
import { symbolBytes, symbolText } from '@spoor/core/model/span-reader.ts';
import { decodeScope } from '@spoor/core/model/value-decoder.ts';
import { stringTag } from './jaeger-key-value.ts';
import { formatJaegerTraceId } from './jaeger-span.ts';
import { formatSpanKind } from './span-kind.ts';
import { SortedTags } from './sorted-tags.ts';
import { type KeptTagKeys, type TagColumn, TagKeys } from './tag-keys.ts';
import { TextAllowance } from './text-allowance.ts';
import { ValueTexts } from './value-texts.ts';

/** Tags are put in order one by one, which is for a few. */
const MAX_TAGS = 128;

/** Keys are decoded and put in order in one turn of the event loop, 3 ms for so many. */
const MAX_KEYS = 2048;

/** Before all that {@link TagKeys} gives. */
const FIRST = -1;

const NO_ID = '0000000000000000';

/** A tag that is no attribute, with its place among the others. */
interface MadeTag {
  readonly order: number;
  /** Its JSON. */
  readonly text: string;
}

/** By number. */
const KINDS: readonly (string | undefined)[] = Array.from({ length: 256 }, (_, kind) => {
  const word = formatSpanKind(kind);
  return word === undefined ? undefined : JSON.stringify(stringTag('span.kind', word));
});
const OK = JSON.stringify(stringTag('otel.status_code', 'OK'));
const ERROR = JSON.stringify(stringTag('otel.status_code', 'ERROR'));
const IS_ERROR = JSON.stringify({ key: 'error', type: 'bool', value: true });

/**
 * JSON of the spans of a trace on one line, as `adjustSpan(jaegerSpan(span))` has it: made from the columns, without an object for each
 * span and tag. A span with something that few have is left to these two.
 */
export class SpanTexts {
  readonly #batch: SpanBatch;
  readonly #values: ValueTexts;
  readonly #keys: TagKeys;
  readonly #kindOrder: number;
  readonly #statusOrder: number;
  readonly #errorOrder: number;
  readonly #columns: readonly TagColumn[];
  readonly #allowance = new TextAllowance();
  readonly #names: (string | undefined)[] = [];
  readonly #eventNames: (string | undefined)[] = [];
  readonly #scopes: (readonly MadeTag[] | undefined)[] = [];
  readonly #traceId: string;
  /** Ids of all rows, 16 digits each. */
  readonly #spanIds: string;
  readonly #parentSpanIds: string;
  readonly #tags = new SortedTags();

  /**
   * Undefined where the batch has so many keys that all spans have to be made in the other way.
   * @param kept those of answers before
   */
  static of(batch: SpanBatch, kept: KeptTagKeys): SpanTexts | undefined {
    return batch.keys.count > MAX_KEYS ? undefined : new SpanTexts(batch, kept);
  }

  private constructor(batch: SpanBatch, kept: KeptTagKeys) {
    this.#batch = batch;
    this.#values = new ValueTexts(batch.values, this.#allowance);
    const { keys, found } = kept.of(batch.keys);
    this.#keys = keys;
    this.#kindOrder = keys.order('span.kind', 'string');
    this.#statusOrder = keys.order('otel.status_code', 'string');
    this.#errorOrder = keys.order('error', 'bool');
    this.#columns = batch.columns.map(({ key, level, type }) =>
      keys.column(found[key]!, level, type),
    );
    this.#traceId = formatJaegerTraceId(formatTraceId(batch.traceId, 0));
    this.#spanIds = hexOf(batch.spanId);
    this.#parentSpanIds = hexOf(batch.parentSpanId);
  }

  /** The span of a row; undefined where it has to be made in the other way. */
  get(row: number, processId: string): string | undefined {
    const batch = this.#batch;
    const { links } = batch;
    // Beyond 2^63 a span may seem to end before it starts, which is warned of.
    if (
      ((batch.startHi[row]! | batch.durationHi[row]!) & 0x80000000) !== 0 ||
      batch.kind[row] === IN_FIELD ||
      batch.status[row] === IN_FIELD ||
      (links !== undefined && links.rowOffsets[row] !== links.rowOffsets[row + 1])
    ) {
      return undefined;
    }
    const tags = this.#spanTags(row);
    if (tags === undefined) return undefined;
    const logs = this.#logs(row);
    if (logs === undefined) return undefined;
    const nameText = this.#name(batch.name[row]!);
    const parentSpanId = this.#parentSpanIds.slice(row * 16, row * 16 + 16);
    const references =
      parentSpanId === NO_ID
        ? ''
        : `{"refType":"CHILD_OF","traceID":"${this.#traceId}","spanID":"${parentSpanId}"}`;
    return (
      `{"traceID":"${this.#traceId}","spanID":"${this.#spanIds.slice(row * 16, row * 16 + 16)}",` +
      `${(batch.flags[row]! & 1) === 0 ? '' : '"flags":1,'}"operationName":${nameText},` +
      `"references":[${references}],"startTime":${micros(batch.startLo[row]!, batch.startHi[row]!)},` +
      `"duration":${micros(batch.durationLo[row]!, batch.durationHi[row]!)},"tags":${tags},` +
      `"logs":${logs},"processID":"${processId}","warnings":null}`
    );
  }

  #name(code: number): string {
    const names = this.#names;
    return names[code] ?? this.#allowance.keep(names, code, this.#makeName(code));
  }

  #makeName(code: number): string {
    return JSON.stringify(symbolText(this.#batch.names, code));
  }

  #spanTags(row: number): string | undefined {
    const { shape, cells, shapes, scope, kind, status } = this.#batch;
    const begin = shapes.offsets[shape[row]!]!;
    const count = shapes.offsets[shape[row]! + 1]! - begin;
    if (count > MAX_TAGS) return undefined;
    const tags = this.#tags.clear();
    for (const { order, text } of this.#scopeTags(scope[row]!)) tags.add(order, text);
    let saysError = false;
    const firstCell = cells.rowStart[row]!;
    for (let i = 0; i < count; i++) {
      const column = this.#columns[shapes.columns[begin + i]!]!;
      if (column.isTaken) return undefined;
      if (column.isHidden) continue;
      const value = this.#values.get(column.type, cells.codes[firstCell + i]!);
      if (column.isField && value === '""') continue;
      tags.add(column.order, `${column.begin}${value}}`);
      if (column.isError && (value === 'true' || value === '"true"')) saysError = true;
    }
    const kindTag = KINDS[kind[row]!];
    if (kindTag !== undefined) tags.add(this.#kindOrder, kindTag);
    const code = status[row]! - 1;
    if (code === StatusCode.ok) tags.add(this.#statusOrder, OK);
    if (code === StatusCode.error) {
      tags.add(this.#statusOrder, ERROR);
      if (!saysError) tags.add(this.#errorOrder, IS_ERROR);
    }
    return tags.toJson();
  }

  #scopeTags(code: number): readonly MadeTag[] {
    const known = this.#scopes[code];
    if (known !== undefined) return known;
    const tags = this.#makeScopeTags(code);
    const characters = tags.reduce((sum, { text }) => sum + text.length, 0);
    if (this.#allowance.takes(characters)) this.#scopes[code] = tags;
    return tags;
  }

  #makeScopeTags(code: number): MadeTag[] {
    const { name, version } = decodeScope(symbolBytes(this.#batch.scopes, code));
    return [stringTag('otel.scope.name', name), stringTag('otel.scope.version', version)].flatMap(
      (tag) =>
        tag.value === ''
          ? []
          : { order: this.#keys.order(tag.key, tag.type), text: JSON.stringify(tag) },
    );
  }

  #logs(row: number): string | undefined {
    const { events } = this.#batch;
    if (events === undefined) return '[]';
    let text = '[';
    const first = events.rowOffsets[row]!;
    for (let e = first; e < events.rowOffsets[row + 1]!; e++) {
      const fields = this.#fields(e, events.shape[e]!, events.name[e]!);
      if (fields === undefined) return undefined;
      const timestamp = micros(events.timeLo[e]!, events.timeHi[e]!);
      text += `${e === first ? '' : ','}{"timestamp":${timestamp},"fields":${fields}}`;
    }
    return `${text}]`;
  }

  #fields(event: number, shape: number, name: number): string | undefined {
    const { cells, shapes } = this.#batch;
    const begin = shapes.offsets[shape]!;
    const count = shapes.offsets[shape + 1]! - begin;
    if (count > MAX_TAGS) return undefined;
    const fields = this.#tags.clear();
    const nameText = this.#eventName(name);
    if (nameText !== '') fields.add(FIRST, nameText);
    const firstCell = cells.eventStart[event]!;
    for (let i = 0; i < count; i++) {
      const column = this.#columns[shapes.columns[begin + i]!]!;
      if (column.isTaken) return undefined;
      if (column.isHidden) continue;
      const value = this.#values.get(column.type, cells.codes[firstCell + i]!);
      fields.add(column.order, `${column.begin}${value}}`);
    }
    return fields.toJson();
  }

  /** The field that an event has for its name; empty where it has no name. */
  #eventName(code: number): string {
    const names = this.#eventNames;
    return names[code] ?? this.#allowance.keep(names, code, this.#makeEventName(code));
  }

  #makeEventName(code: number): string {
    const name = symbolText(this.#batch.eventNames, code);
    return name === '' ? '' : JSON.stringify(stringTag('event', name));
  }
}

function hexOf({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('hex');
}

/** From this high half of ns on µs are no integers any more that a double has: 2^53 µs. */
const INEXACT_HI = 2_097_152_000;

/** µs of ns that are given as halves, as a text. */
function micros(lo: number, hi: number): string {
  if (hi >= INEXACT_HI) return `${((BigInt(hi) << 32n) | BigInt(lo)) / 1000n}`;
  const high = Math.floor(hi / 1000);
  const low = Math.floor(((hi % 1000) * 2 ** 32 + lo) / 1000);
  return `${high * 2 ** 32 + low}`;
}
