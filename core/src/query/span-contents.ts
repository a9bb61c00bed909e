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
    const encoded = places
      .map((place) => ({ place, bytes: this.#encode(place) }))
      .sort((a, b) => compareBytes(a.bytes, b.bytes));
    return encoded
      .filter(({ bytes }, i) => i === 0 || compareBytes(encoded[i - 1]!.bytes, bytes) !== 0)
      .map(({ place }) => place);
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
