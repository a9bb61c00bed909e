// SPDX-License-Identifier: Apache-2.0
import type { DescMessage } from '@bufbuild/protobuf';

/** Numbers of 0 to `below` - 1, from a seed, so that a failing run can be repeated. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

interface Field {
  readonly number: number;
  readonly wireType: number;
  /** The value without tag; for wire type 2 without its length. */
  readonly value: readonly number[];
}

/**
 * Writes a message in another way that means the same: fields in another order, numbers longer than needed, unknown
 * fields between, values that a later one of the same field replaces, messages in two parts.
 */
export function rewriteProtobuf(
  bytes: Uint8Array,
  message: DescMessage,
  random: (below: number) => number,
): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(rewrite(bytes, message, random));
}

/** A length-delimited field. */
export function bytesField(number: number, value: Iterable<number>): number[] {
  const content = [...value];
  return [...varint(number * 8 + 2), ...varint(content.length), ...content];
}

/** Bytes of a varint, with `extra` bytes more than it needs. */
export function varint(value: number, extra = 0): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest % 128) | 128);
    rest = Math.floor(rest / 128);
  }
  bytes.push(rest);
  for (let i = 0; i < extra; i++) {
    bytes[bytes.length - 1]! |= 128;
    bytes.push(0);
  }
  return bytes;
}

function rewrite(
  bytes: Uint8Array,
  message: DescMessage,
  random: (below: number) => number,
): number[] {
  const fields = split(bytes).map((field) => {
    const descriptor = message.fields.find(({ number }) => number === field.number);
    return descriptor?.message === undefined
      ? { ...field, descriptor }
      : {
          ...field,
          descriptor,
          value: rewrite(Uint8Array.from(field.value), descriptor.message, random),
        };
  });
  // Values of one field keep their order, and so do those of a oneof.
  const isOneof = message.oneofs.length > 0;
  const queues = Map.groupBy(fields, ({ number }) => (isOneof ? 0 : number));
  const out: number[] = [];
  while (queues.size > 0) {
    const keys = [...queues.keys()];
    const key = keys[random(keys.length)]!;
    const queue = queues.get(key)!;
    const { number, wireType, value, descriptor } = queue.shift()!;
    if (queue.length === 0) queues.delete(key);
    if (random(4) === 0) out.push(...unknownField(random));
    const isSingular = descriptor?.fieldKind !== 'list';
    if (isSingular && descriptor?.message === undefined && random(6) === 0) {
      // Any value of the same field, which the next one replaces.
      const other = wireType === 2 ? [120] : wireType === 0 ? [1] : value.map(() => 1);
      out.push(...fieldBytes(number, wireType, other, random));
    }
    if (isSingular && descriptor?.message !== undefined && random(3) === 0) {
      const parts = split(Uint8Array.from(value)).map((part) =>
        fieldBytes(part.number, part.wireType, part.value, random),
      );
      const cut = random(parts.length + 1);
      out.push(...fieldBytes(number, 2, parts.slice(0, cut).flat(), random));
      out.push(...fieldBytes(number, 2, parts.slice(cut).flat(), random));
    } else out.push(...fieldBytes(number, wireType, value, random));
  }
  if (random(4) === 0) out.push(...unknownField(random));
  return out;
}

function fieldBytes(
  number: number,
  wireType: number,
  value: readonly number[],
  random: (below: number) => number,
): number[] {
  const extra = (): number => (random(8) === 0 ? 1 + random(2) : 0);
  const tag = varint(number * 8 + wireType, extra());
  if (wireType === 2) return [...tag, ...varint(value.length, extra()), ...value];
  if (wireType !== 0 || value.length > 8 || random(8) > 0) return [...tag, ...value];
  return [...tag, ...value.slice(0, -1), value.at(-1)! | 128, 0];
}

function unknownField(random: (below: number) => number): number[] {
  const number = 1001 + random(5000);
  const wireType = [0, 1, 2, 5][random(4)]!;
  const lengths: Readonly<Record<number, number>> = { 0: 1, 1: 8, 2: random(20), 5: 4 };
  const value = Array.from({ length: lengths[wireType]! }, () => random(128));
  return fieldBytes(number, wireType, value, random);
}

function split(bytes: Uint8Array): Field[] {
  const fields: Field[] = [];
  let at = 0;
  const readVarint = (): number => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[at++]!;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
  };
  while (at < bytes.length) {
    const tag = readVarint();
    const wireType = tag & 7;
    let start = at;
    if (wireType === 0) readVarint();
    else if (wireType === 2) {
      const length = readVarint();
      start = at;
      at += length;
    } else at += wireType === 1 ? 8 : 4;
    fields.push({ number: tag >>> 3, wireType, value: [...bytes.subarray(start, at)] });
  }
  return fields;
}
