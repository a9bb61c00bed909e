// SPDX-License-Identifier: Apache-2.0
import { BodyWriter } from './body-writer.ts';

/** What spans are exported together with: a resource and its scopes, encoded as fields. */
export interface ExportSource {
  /** The field `ResourceSpans.resource`. */
  readonly resource: Uint8Array;
  /** The fields `ScopeSpans.scope`; a span names its scope by index. */
  readonly scopes: readonly Uint8Array[];
  /** When in the export interval this source exports, 0 to 1. */
  readonly phaseRatio: number;
}

/** A body that is ready to be sent. */
export interface ExportedBody {
  readonly body: Buffer;
  readonly spans: number;
}

/** The spans that one source exports at one moment. */
interface Export {
  readonly dueNanos: number;
  readonly source: ExportSource;
  readonly scopes: readonly ScopeSpans[];
}

interface ScopeSpans {
  readonly writer: BodyWriter;
  /** End of each span in the writer. */
  readonly ends: number[];
}

/** Spans held back at most, some 30 MB; beyond it the next exports are sent before they are due. */
const MAX_HELD_SPANS = 65_536;

/**
 * Holds spans back as SDKs do: each source exports what it ended at its own moment of every interval.
 * The stream of exports is cut into requests as a collector's batch processor cuts it, so one request
 * has spans of several sources, and one trace is spread over several requests. Times are ns since the
 * start of the corpus.
 */
export class ExportQueue {
  readonly #intervalNanos: number;
  readonly #requestSpans: number;
  /** Ordered by due time, then by arrival: at most (sources × intervals that spans reach ahead) entries. */
  readonly #exports: Export[] = [];
  readonly #open = new Map<ExportSource, Export[]>();
  /** The request being filled: parts of exports in order. */
  #parts: { export: Export; scope: number; start: number; end: number }[] = [];
  #partSpans = 0;
  #heldSpans = 0;

  constructor(intervalNanos: number, requestSpans: number) {
    this.#intervalNanos = intervalNanos;
    this.#requestSpans = requestSpans;
  }

  /**
   * The writer for a span that ends at `endNanos`; the caller appends one field `ScopeSpans.spans` and
   * then calls {@link added} with the same writer.
   */
  writer(source: ExportSource, scope: number, endNanos: number): ScopeSpans {
    const phase = source.phaseRatio * this.#intervalNanos;
    const turns = Math.ceil((endNanos - phase) / this.#intervalNanos);
    const dueNanos = phase + turns * this.#intervalNanos;
    let exports = this.#open.get(source);
    if (exports === undefined) {
      exports = [];
      this.#open.set(source, exports);
    }
    let found = exports.find((entry) => entry.dueNanos === dueNanos);
    if (found === undefined) {
      found = {
        dueNanos,
        source,
        scopes: source.scopes.map(() => ({ writer: new BodyWriter(8192), ends: [] })),
      };
      exports.push(found);
      this.#insert(found);
    }
    return found.scopes[scope]!;
  }

  /** Marks the end of a span. */
  added(spans: ScopeSpans): void {
    spans.ends.push(spans.writer.position);
    this.#heldSpans++;
  }

  /** The requests that are full by `nowNanos`, or earlier when too much is held; with Infinity everything that is left, the last request short. */
  *take(nowNanos: number): Generator<ExportedBody> {
    let taken = 0;
    for (const entry of this.#exports) {
      if (entry.dueNanos >= nowNanos && this.#heldSpans <= MAX_HELD_SPANS) break;
      taken++;
      const open = this.#open.get(entry.source)!;
      open.splice(open.indexOf(entry), 1);
      yield* this.#cut(entry);
    }
    this.#exports.splice(0, taken);
    if (nowNanos === Number.POSITIVE_INFINITY && this.#partSpans > 0) yield this.#request();
  }

  *#cut(entry: Export): Generator<ExportedBody> {
    for (let scope = 0; scope < entry.scopes.length; scope++) {
      const count = entry.scopes[scope]!.ends.length;
      this.#heldSpans -= count;
      for (let start = 0; start < count;) {
        const end = Math.min(count, start + this.#requestSpans - this.#partSpans);
        this.#parts.push({ export: entry, scope, start, end });
        this.#partSpans += end - start;
        start = end;
        if (this.#partSpans === this.#requestSpans) yield this.#request();
      }
    }
  }

  #request(): ExportedBody {
    const parts = this.#parts;
    const spans = this.#partSpans;
    this.#parts = [];
    this.#partSpans = 0;
    let bytes = 16;
    for (const part of parts) {
      const { ends } = part.export.scopes[part.scope]!;
      bytes += ends[part.end - 1]! - (part.start === 0 ? 0 : ends[part.start - 1]!);
      bytes +=
        part.export.source.resource.length + part.export.source.scopes[part.scope]!.length + 64;
    }
    const body = new BodyWriter(bytes);
    for (let i = 0; i < parts.length;) {
      const { export: entry } = parts[i]!;
      const resourceSpans = body.begin(0x0a);
      body.raw(entry.source.resource);
      for (; i < parts.length && parts[i]!.export === entry; i++) {
        const { scope, start, end } = parts[i]!;
        const { writer, ends } = entry.scopes[scope]!;
        const scopeSpans = body.begin(0x12);
        body.raw(entry.source.scopes[scope]!);
        body.rawRange(writer.bytes, start === 0 ? 0 : ends[start - 1]!, ends[end - 1]!);
        body.end(scopeSpans);
      }
      body.end(resourceSpans);
    }
    return { body: body.bytes.subarray(0, body.position), spans };
  }

  #insert(entry: Export): void {
    let at = this.#exports.length;
    while (at > 0 && this.#exports[at - 1]!.dueNanos > entry.dueNanos) at--;
    this.#exports.splice(at, 0, entry);
  }
}
