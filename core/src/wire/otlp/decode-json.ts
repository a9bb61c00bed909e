// SPDX-License-Identifier: Apache-2.0
import type { BatchBuilder } from '#model/batch-builder.ts';
import { SpoorError } from '#model/errors.ts';
import { CanonicalWriter, MAX_VALUE_DEPTH, TooDeep } from './canonical.ts';
import { JsonSpanDecoder } from './decode-json-span.ts';
import { JsonFields } from './json-fields.ts';
import { JsonReader, NULL_FIELD, WrongValue } from './json-reader.ts';
import { JsonValueReader } from './json-value.ts';
import { SymbolCache } from './symbol-cache.ts';

/**
 * A slice ends after about this many bytes of the body, however few spans they held. A part of the body without
 * spans, or a single large span, is passed in about 5 ms per MiB.
 */
const SLICE_BYTES = 1 << 20;

/**
 * Decodes `ExportTraceServiceRequest` (and `TracesData`) in OTLP/JSON straight into a {@link BatchBuilder}, as
 * `OtlpProtoDecoder` does from protobuf: the same spans give the same rows.
 *
 * - Text that is not JSON, or that has wrong values outside of its spans, throws; the caller rolls the builder back to where it was
 *   before `begin`.
 * - A span with a value that its field cannot have (ids of a wrong length or all zero, a number out of range, values nested
 *   too deep, …) is left out and counted.
 * - null counts as not sent, fields of unknown name are passed over and counted, members may be in any order.
 * @see https://github.com/open-telemetry/opentelemetry-proto/blob/v1.9.0/docs/specification.md#json-protobuf-encoding
 */
export class OtlpJsonDecoder {
  /** Spans taken and left out since `begin`. */
  accepted = 0;
  rejected = 0;
  /** Why the first span was left out; empty when none was. */
  rejectedMessage = '';
  readonly #reader = new JsonReader();
  /** Looks ahead, see `#search`. */
  readonly #searcher = new JsonReader();
  readonly #values = new JsonValueReader(this.#reader);
  readonly #spans = new JsonSpanDecoder(this.#reader, this.#values);
  readonly #canonical = new CanonicalWriter();
  readonly #resource = new Group('resource');
  readonly #scope = new Group('scope');
  #slices: Generator<void, void, void> | undefined;
  /** The builder of the slice under way. */
  #builder!: BatchBuilder;
  /** The slice ends when this many spans were taken or left out, or where the readers are at these positions. */
  #sliceBytes = Infinity;
  #fullSpans = 0;
  #fullPosition = 0;
  #fullSearch = 0;

  /** Fields that this version does not know and that were passed over, since the decoder was made. */
  get unknownFields(): number {
    return this.#reader.unknownFields;
  }

  /** Starts on a request. The bytes must not change until it is decoded. */
  begin(body: Uint8Array): void {
    this.accepted = 0;
    this.rejected = 0;
    this.rejectedMessage = '';
    this.#reader.begin(body);
    this.#searcher.begin(body);
    this.#resource.close();
    this.#scope.close();
    this.#slices = this.#request();
  }

  /**
   * Decodes about `maxSpans` spans more into the builder, which may be another one for each call. A slice may end
   * without any.
   * @returns true when the request is done
   * @throws {SpoorError} malformed
   */
  decode(builder: BatchBuilder, maxSpans = Infinity): boolean {
    this.#builder = builder;
    this.#fullSpans = this.accepted + this.rejected + maxSpans;
    this.#sliceBytes = maxSpans === Infinity ? Infinity : SLICE_BYTES;
    this.#fullPosition = this.#reader.position + this.#sliceBytes;
    this.#fullSearch = this.#searcher.position + this.#sliceBytes;
    this.#resource.firstRow = this.#scope.firstRow = builder.rows;
    try {
      return this.#slices!.next().done === true;
    } catch (error) {
      if (error instanceof WrongValue) {
        throw new SpoorError('malformed', `otlp json: ${error.message}`, { cause: error });
      }
      throw error;
    }
  }

  *#request(): Generator<void, void, void> {
    const reader = this.#reader;
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(REQUEST);
      if (field === 1) {
        for (let some = reader.enterList(); some; some = reader.nextItem()) {
          yield* this.#group(this.#resource);
          if (this.#isFull()) yield* this.#pause();
        }
      } else if (field !== NULL_FIELD) yield* this.#unknown();
    }
    reader.space();
    if (reader.position < reader.bytes.length) reader.fail('text after the end of the request');
  }

  /**
   * Decodes a `ResourceSpans` or `ScopeSpans`.
   *
   * Its resource (scope) and schema URL may stand after its spans. So the rows get their code when the group or
   * the slice ends; for the latter, or before a large group, the rest of it is searched.
   */
  *#group(group: Group): Generator<void, void, void> {
    const reader = this.#reader;
    group.open(reader.position, this.#builder.rows);
    if (reader.bytes.length - reader.position > SLICE_BYTES) yield* this.#search(group, true);
    for (let more = reader.enterObject(); more; more = reader.nextMember()) {
      const field = reader.field(group.fields);
      if (field === 2) {
        for (let some = reader.enterList(); some; some = reader.nextItem()) {
          if (group === this.#resource) yield* this.#group(this.#scope);
          else this.#span();
          if (this.#isFull()) yield* this.#pause();
        }
      } else if (field === 0) yield* this.#unknown();
      else if (field !== NULL_FIELD) this.#member(reader, group, field, !group.isSearched);
    }
    this.#assign(group);
    group.close();
  }

  #span(): void {
    const start = this.#reader.position;
    const problem = this.#spans.decode(this.#builder);
    if (problem === '') this.accepted++;
    else {
      this.rejected++;
      this.rejectedMessage ||= `otlp json: span at byte ${start} left out: ${problem}`;
    }
  }

  /** Reads the resource (scope) or the schema URL of a group, and may note it; the last one counts. */
  #member(reader: JsonReader, group: Group, field: number, isNoted: boolean): void {
    const start = reader.position;
    if (field === 1) reader.skipValue();
    else reader.string();
    if (!isNoted) return;
    if (field === 1) {
      group.messageStart = start;
      group.messageEnd = reader.position;
    } else group.schemaUrl = reader.textBytes.slice(reader.textStart, reader.textEnd);
  }

  /** Looks through a whole group for its resource (scope) and schema URL. */
  *#search(group: Group, mayPause: boolean): Generator<void, void, void> {
    const searcher = this.#searcher;
    searcher.position = group.start;
    this.#fullSearch = mayPause ? group.start + this.#sliceBytes : Infinity;
    for (let more = searcher.enterObject(); more; more = searcher.nextMember()) {
      const field = searcher.field(group.fields);
      if (field === 1 || field === 3) this.#member(searcher, group, field, true);
      else if (field !== NULL_FIELD) {
        searcher.beginSkip();
        while (!searcher.resumeSkip(this.#fullSearch)) yield* this.#pause();
      }
      if (searcher.position >= this.#fullSearch) yield* this.#pause();
    }
    group.isSearched = true;
  }

  /** Passes over a field of unknown name, which may be large. */
  *#unknown(): Generator<void, void, void> {
    const reader = this.#reader;
    reader.unknownFields++;
    reader.beginSkip();
    while (!reader.resumeSkip(this.#fullPosition)) yield* this.#pause();
  }

  #isFull(): boolean {
    return (
      this.accepted + this.rejected >= this.#fullSpans ||
      this.#reader.position >= this.#fullPosition
    );
  }

  /** Ends the slice. The next one may go into another builder, so the rows must be whole. */
  *#pause(): Generator<void, void, void> {
    for (const group of [this.#resource, this.#scope]) {
      if (group.firstRow === this.#builder.rows || group.start < 0) continue;
      if (!group.isSearched) yield* this.#search(group, false);
      this.#assign(group);
    }
    yield;
  }

  /** Gives the rows of a group their code. */
  #assign(group: Group): void {
    const symbol = (group.symbol ??= group.cache.get(
      group.messageStart < 0
        ? undefined
        : this.#reader.bytes.subarray(group.messageStart, group.messageEnd),
      group.schemaUrl,
      (_, schemaUrl) => this.#makeSymbol(group, schemaUrl),
    ));
    const builder = this.#builder;
    if (group.firstRow === builder.rows) return;
    const [table, column] =
      group === this.#resource
        ? [builder.resources, builder.resource]
        : [builder.scopes, builder.scope];
    column.fill(table.intern(symbol, 0, symbol.length), group.firstRow, builder.rows);
    group.firstRow = builder.rows;
  }

  #makeSymbol(group: Group, schemaUrl: Uint8Array): Uint8Array<ArrayBuffer> {
    const reader = this.#reader;
    const { position } = reader;
    let message: Uint8Array | undefined;
    try {
      if (group.messageStart >= 0) {
        reader.position = group.messageStart;
        message = group === this.#resource ? this.#values.resource() : this.#values.scope();
        reader.position = position;
      }
      return group === this.#resource
        ? this.#canonical.resourceSymbol(message, schemaUrl)
        : this.#canonical.scopeSymbol(message, schemaUrl);
    } catch (error) {
      if (!(error instanceof TooDeep)) throw error;
      return reader.fail(
        `attribute of a resource or scope nested over ${MAX_VALUE_DEPTH} deep`,
        group.messageStart,
      );
    }
  }
}

const EMPTY: Uint8Array = new Uint8Array(0);

/** What is known of the `ResourceSpans` or `ScopeSpans` under way. */
class Group {
  readonly fields: JsonFields;
  /** Canonical forms by the text of the resource (scope) and the schema URL. */
  readonly cache = new SymbolCache();
  /** Where it begins; -1 between two. */
  start = -1;
  /** The first of its rows that has no code yet. */
  firstRow = 0;
  /** Whether the whole group was looked through, so that the rest is known. */
  isSearched = false;
  /** Text of the resource (scope); the start is -1 where there is none. */
  messageStart = -1;
  messageEnd = -1;
  schemaUrl = EMPTY;
  symbol: Uint8Array | undefined;

  constructor(name: 'resource' | 'scope') {
    this.fields = name === 'resource' ? RESOURCE_SPANS : SCOPE_SPANS;
  }

  open(start: number, firstRow: number): void {
    this.start = start;
    this.firstRow = firstRow;
    this.isSearched = false;
    this.messageStart = -1;
    this.schemaUrl = EMPTY;
    this.symbol = undefined;
  }

  close(): void {
    this.start = -1;
  }
}

const REQUEST = JsonFields.ofMessage({ resource_spans: 1 });
const RESOURCE_SPANS = JsonFields.ofMessage({ resource: 1, scope_spans: 2, schema_url: 3 });
const SCOPE_SPANS = JsonFields.ofMessage({ scope: 1, spans: 2, schema_url: 3 });
