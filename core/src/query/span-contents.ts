// SPDX-License-Identifier: Apache-2.0
import type { SpanColumns } from '#model/span-columns.ts';
import { OtlpProtoEncoder } from '#wire/otlp/encode.ts';
import { ProtoWriter } from '#wire/protobuf/writer.ts';

/** A span where it lies. */
export interface SpanPlace {
  readonly columns: SpanColumns;
  readonly row: number;
}

/**
 * Tells spans apart by all that they hold, resource and scope included: by their encoded bytes, in which equal content is equal.
 * Keep one for as long as its columns are looked at; nothing is encoded before spans have the same ids.
 */
export class SpanContents {
  readonly #encoders = new WeakMap<SpanColumns, OtlpProtoEncoder>();
  /** One for all: there may be thousands of columns of which one span is looked at. */
  readonly #writer = new ProtoWriter(4096);

  /** The first span with each content, by content. */
  distinct<Place extends SpanPlace>(places: readonly Place[]): Place[] {
    return this.#sorted(places)
      .filter(({ isFirst }) => isFirst)
      .map(({ place }) => place);
  }

  /** For each span the first one with its content, which may be itself. */
  firsts<Place extends SpanPlace>(places: readonly Place[]): Map<Place, Place> {
    const firsts = new Map<Place, Place>();
    let first: Place | undefined;
    for (const { place, isFirst } of this.#sorted(places)) {
      if (isFirst || first === undefined) first = place;
      firsts.set(place, first);
    }
    return firsts;
  }

  /** By content, equal ones in their order. */
  #sorted<Place extends SpanPlace>(places: readonly Place[]): { place: Place; isFirst: boolean }[] {
    const encoded = places
      .map((place) => ({ place, bytes: this.#encode(place) }))
      .sort((a, b) => compareBytes(a.bytes, b.bytes));
    return encoded.map(({ place, bytes }, i) => ({
      place,
      isFirst: i === 0 || compareBytes(encoded[i - 1]!.bytes, bytes) !== 0,
    }));
  }

  #encode({ columns, row }: SpanPlace): Uint8Array {
    let encoder = this.#encoders.get(columns);
    if (encoder === undefined) {
      encoder = new OtlpProtoEncoder(columns, this.#writer);
      this.#encoders.set(columns, encoder);
    }
    return encoder.encode(row, row + 1);
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
