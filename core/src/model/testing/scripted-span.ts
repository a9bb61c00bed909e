// SPDX-License-Identifier: Apache-2.0
import fc from 'fast-check';
import { type AttributeLevel, ValueType } from '../attributes.ts';
import type { BatchBuilder } from '../batch-builder.ts';
import { encodeText } from '../utf8.ts';

/** One attribute or field to be added: level within its owner (0 attribute, 1 field), type, key, value. */
export interface ScriptedValue {
  readonly field: 0 | 1;
  readonly type: ValueType;
  readonly key: string;
  readonly value: Uint8Array;
}

/** A span to be written into a builder, made of few different texts so that tables and shapes are shared. */
export interface ScriptedSpan {
  readonly seed: number;
  readonly values: readonly ScriptedValue[];
  readonly events: readonly (readonly ScriptedValue[])[];
  readonly links: readonly (readonly ScriptedValue[])[];
  /** Whether the span is taken back instead of being closed. */
  readonly isAborted: boolean;
}

const ownerAndKey = {
  field: fc.constantFrom(0 as const, 0 as const, 0 as const, 1 as const),
  key: fc.constantFrom('a', 'b', 'c', 'key of another length', '', 'trace_state'),
};

const scriptedValue: fc.Arbitrary<ScriptedValue> = fc.oneof(
  fc.record({
    ...ownerAndKey,
    type: fc.constant(ValueType.string),
    value: fc.oneof(fc.constantFrom('', 'x', 'y'), fc.string()).map(encodeText),
  }),
  fc.record({
    ...ownerAndKey,
    type: fc.constant(ValueType.int),
    value: fc.uint8Array({ minLength: 8, maxLength: 8 }),
  }),
  fc.record({
    ...ownerAndKey,
    type: fc.constant(ValueType.bytes),
    value: fc.uint8Array({ maxLength: 8 }),
  }),
  fc.record({
    ...ownerAndKey,
    type: fc.constant(ValueType.empty),
    value: fc.constant(new Uint8Array(0)),
  }),
);

const values = fc.array(scriptedValue, { maxLength: 5 });

/** Any span. */
export const scriptedSpan: fc.Arbitrary<ScriptedSpan> = fc.record({
  seed: fc.nat(5),
  values,
  events: fc.array(values, { maxLength: 2 }),
  links: fc.array(values, { maxLength: 2 }),
  isAborted: fc.constantFrom(false, false, false, true),
});

/** A span with one text in column `unique`. */
export function uniqueSpan(value: number | string): ScriptedSpan {
  const text = encodeText(String(value));
  return {
    seed: 1,
    values: [{ field: 0, type: ValueType.string, key: 'unique', value: text }],
    events: [],
    links: [],
    isAborted: false,
  };
}

/** Writes a span into the builder; with `isCut`, only its beginning, as when its bytes end in the middle. */
export function writeSpan(builder: BatchBuilder, span: ScriptedSpan, isCut = false): void {
  const row = builder.beginSpan();
  const { seed } = span;
  builder.traceId.fill(seed + 1, row * 16, row * 16 + 16);
  builder.spanId.fill(seed + 2, row * 8, row * 8 + 8);
  builder.parentSpanId.fill(seed, row * 8, row * 8 + 8);
  builder.startLo[row] = seed * 1_000_000;
  builder.startHi[row] = seed;
  builder.durationLo[row] = seed * 7;
  builder.durationHi[row] = 0;
  builder.flags[row] = seed << 24;
  builder.kind[row] = seed;
  builder.status[row] = seed % 3;
  const text = encodeText(`text ${seed}`);
  builder.name[row] = builder.names.intern(text, 0, text.length);
  // Field 3, the schema URL, of one byte.
  const symbol = Uint8Array.of(26, 1, 97 + (seed % 2));
  builder.resource[row] = builder.resources.intern(symbol, 0, 3);
  builder.scope[row] = builder.scopes.intern(symbol, 0, 3);
  span.values.forEach((value) => add(builder, value, 0));
  for (const event of span.events) {
    const index = builder.beginEvent();
    event.forEach((value) => add(builder, value, 2));
    if (isCut) return;
    builder.eventTimeLo[index] = seed;
    builder.eventTimeHi[index] = 1;
    builder.eventName[index] = builder.eventNames.intern(text, 0, text.length);
    builder.endEvent();
  }
  for (const link of span.links) {
    const index = builder.beginLink();
    link.forEach((value) => add(builder, value, 4));
    if (isCut) return;
    builder.linkTraceId.fill(seed, index * 16, index * 16 + 16);
    builder.linkSpanId.fill(seed, index * 8, index * 8 + 8);
    builder.linkFlags[index] = seed;
    builder.endLink();
  }
  if (isCut) return;
  if (span.isAborted) builder.abortSpan();
  else builder.endSpan();
}

function add(builder: BatchBuilder, scripted: ScriptedValue, level: 0 | 2 | 4): void {
  const key = encodeText(scripted.key);
  const { type, field, value } = scripted;
  // The levels of fields are those of the attributes plus 1.
  const at = (level + field) as AttributeLevel;
  builder.attribute(at, type, key, 0, key.length, value, 0, value.length);
}
