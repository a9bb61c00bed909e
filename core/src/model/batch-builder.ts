// SPDX-License-Identifier: Apache-2.0
import { AttributeColumnBuilder } from './attribute-column-builder.ts';
import { AttributeLevel, ValueType } from './attributes.ts';
import type { BatchMark } from './batch-mark.ts';
import { ColumnSet } from './column-set.ts';
import {
  copyBytes,
  copyTable,
  copyWords,
  grownBytes,
  grownWords,
  wordsOf,
} from './column-arrays.ts';
import { RecentAttributes } from './recent-attributes.ts';
import { RecentSymbols } from './recent-symbols.ts';
import { RecentView } from './recent-view.ts';
import { ShapeInterner } from './shape-interner.ts';
import { SpanBatch } from './span-batch.ts';
import { isLarge, SpanLimits } from './span-limits.ts';
import { SymbolInterner } from './symbol-interner.ts';
import { WordList } from './word-list.ts';

/**
 * Collects spans as columns and makes a {@link SpanBatch} of them. One builder is used again and again.
 *
 * For each span: `beginSpan`, then in any order the fixed columns (assign into the arrays at `row`),
 * attributes, events and links, then `endSpan` or `abortSpan`. Within one level, attributes are
 * kept in the order of the calls.
 *
 * The arrays are replaced when they grow: read them from the builder after each `beginSpan`, `beginEvent`
 * and `beginLink`, and do not hold them.
 */
export class BatchBuilder {
  rows = 0;
  traceId = new Uint8Array(0);
  spanId = new Uint8Array(0);
  parentSpanId = new Uint8Array(0);
  /** The ids again, as words of four bytes. */
  traceWords = new Uint32Array(0);
  spanWords = new Uint32Array(0);
  parentWords = new Uint32Array(0);
  startLo = new Uint32Array(0);
  startHi = new Uint32Array(0);
  durationLo = new Uint32Array(0);
  durationHi = new Uint32Array(0);
  flags = new Uint32Array(0);
  kind = new Uint8Array(0);
  status = new Uint8Array(0);
  name = new Uint32Array(0);
  resource = new Uint32Array(0);
  scope = new Uint32Array(0);
  #shape = new Uint32Array(0);

  events = 0;
  eventTimeLo = new Uint32Array(16);
  eventTimeHi = new Uint32Array(16);
  eventName = new Uint32Array(16);
  #eventShape = new Uint32Array(16);
  #eventEnd = new Uint32Array(0);

  links = 0;
  linkTraceId = new Uint8Array(4 * 16);
  linkSpanId = new Uint8Array(4 * 8);
  linkFlags = new Uint32Array(4);
  #linkShape = new Uint32Array(4);
  #linkEnd = new Uint32Array(0);

  readonly names = new SymbolInterner(256, 4096);
  readonly #recentNames = new RecentSymbols();
  readonly resources = new SymbolInterner(64, 16384);
  readonly scopes = new SymbolInterner(64, 4096);
  readonly eventNames = new SymbolInterner(16, 256);
  readonly #keys = new SymbolInterner(128, 2048);
  readonly #values = new SymbolInterner(1024, 16384);
  readonly #shapes = new ShapeInterner();
  readonly #columnSet = new ColumnSet(this.#keys);
  readonly #columns = this.#columnSet.list;

  /** Columns of the span, event or link under way, one list for each kind of owner. */
  readonly #spanShape = new WordList();
  readonly #eventShapeList = new WordList();
  readonly #linkShapeList = new WordList();
  /** Codes of the attributes of all rows, events and links, in their order. */
  readonly #rowCells = new WordList(4096);
  readonly #eventCells = new WordList();
  readonly #linkCells = new WordList();
  /** Cells, events and links before the row under way. */
  readonly #before = { row: 0, event: 0, link: 0, events: 0, links: 0 };
  readonly #limits = new SpanLimits();
  /** By level, what the first column of a span, event or link follows. */
  readonly #starts = Object.values(AttributeLevel).map(() => new AttributeColumnBuilder());
  #last: AttributeColumnBuilder | undefined;
  readonly #recentAttributes = new RecentAttributes();
  /** Code of the attribute added last, and whether its value was in the batch before. */
  #lastCode = 0;
  #lastWasKnown = false;
  #epoch = 0;
  /** Values and keys nearly always lie in the body of the request, or else each in an array of their own. */
  readonly #views = new RecentView();
  readonly #keyViews = new RecentView();

  constructor(expectedRows = 1024) {
    this.#growRows(Math.max(16, expectedRows));
  }

  /** Columns so far: one for each key of each level with each type. */
  get columnCount(): number {
    return this.#columns.length;
  }

  /** Whether the batch will have over 8 MiB even without its texts: a request is to go on in another one. */
  get isLarge(): boolean {
    const cells = this.#rowCells.count + this.#eventCells.count + this.#linkCells.count;
    return isLarge(this.rows, this.events, this.links, cells);
  }

  /** Refuses from now on more than `count` columns that are not there yet, and spans beyond {@link SpanLimits}; nothing before. */
  limitRequest(count: number): void {
    this.#columnSet.allow(count);
    this.#limits.turnOn([this.#spanShape, this.#eventShapeList, this.#linkShapeList]);
  }

  /** Opens a row and returns its index. Its fixed columns are not cleared: assign all of them. */
  beginSpan(): number {
    if (this.rows === this.#shape.length) this.#growRows(this.rows * 2);
    this.#spanShape.count = 0;
    this.#last = undefined;
    this.#before.row = this.#rowCells.count;
    this.#before.event = this.#eventCells.count;
    this.#before.link = this.#linkCells.count;
    this.#before.events = this.events;
    this.#before.links = this.links;
    return this.rows;
  }

  /** Code of a span name; what is not UTF-8 in it becomes U+FFFD. */
  internName(bytes: Uint8Array, start: number, end: number): number {
    const view = this.#views.of(bytes);
    let code = this.#recentNames.find(this.names, bytes, view, start, end);
    if (code < 0) {
      code = this.names.internText(bytes, start, end, view);
      this.#recentNames.put(code);
    }
    return code;
  }

  /** Closes the row. */
  endSpan(): void {
    const row = this.rows++;
    const list = this.#spanShape;
    this.#shape[row] = this.#shapes.intern(list.words, list.count);
    this.#eventEnd[row] = this.events;
    this.#linkEnd[row] = this.links;
  }

  /** Takes back everything of the row under way, its events and links included. */
  abortSpan(): void {
    const row = this.rows;
    const firstEvent = row === 0 ? 0 : this.#eventEnd[row - 1]!;
    const firstLink = row === 0 ? 0 : this.#linkEnd[row - 1]!;
    this.#unpush(this.#spanShape);
    this.#unpush(this.#eventShapeList);
    this.#unpush(this.#linkShapeList);
    while (this.events > firstEvent) this.#unpushShape(this.#eventShape[--this.events]!);
    while (this.links > firstLink) this.#unpushShape(this.#linkShape[--this.links]!);
    this.#rowCells.count = this.#before.row;
    this.#eventCells.count = this.#before.event;
    this.#linkCells.count = this.#before.link;
  }

  /** Opens an event of the row under way and returns its index. @throws {SpoorError} too_large: see {@link limitRequest} */
  beginEvent(): number {
    this.#limits.checkEvents(this.events - this.#before.events);
    if (this.events === this.#eventShape.length) this.#growEvents();
    this.#eventShapeList.count = 0;
    this.#last = undefined;
    return this.events;
  }

  /** @throws {SpoorError} too_large: see {@link limitRequest} */
  endEvent(): void {
    this.#limits.checkCells(this.#eventCells.count - this.#before.event);
    const list = this.#eventShapeList;
    this.#eventShape[this.events++] = this.#shapes.intern(list.words, list.count);
    list.count = 0;
    this.#last = undefined;
  }

  /** Opens a link of the row under way and returns its index. @throws {SpoorError} too_large: see {@link limitRequest} */
  beginLink(): number {
    this.#limits.checkLinks(this.links - this.#before.links);
    if (this.links === this.#linkShape.length) this.#growLinks();
    this.#linkShapeList.count = 0;
    this.#last = undefined;
    return this.links;
  }

  /** @throws {SpoorError} too_large: see {@link limitRequest} */
  endLink(): void {
    this.#limits.checkCells(this.#linkCells.count - this.#before.link);
    const list = this.#linkShapeList;
    this.#linkShape[this.links++] = this.#shapes.intern(list.words, list.count);
    list.count = 0;
    this.#last = undefined;
  }

  /**
   * Adds an attribute or field of canonical bytes to what is under way at this level. The key must be UTF-8 or is mended.
   * @throws {SpoorError} too_large: see {@link limitRequest}
   */
  attribute(
    level: AttributeLevel,
    type: ValueType,
    key: Uint8Array,
    keyStart: number,
    keyEnd: number,
    value: Uint8Array,
    valueStart: number,
    valueEnd: number,
  ): void {
    const column = this.#column(level, type, key, keyStart, keyEnd);
    const values = this.#values;
    const before = values.count;
    const epoch = this.#epoch;
    const code =
      type === ValueType.string
        ? column.pushText(values, value, this.#views.of(value), valueStart, valueEnd, epoch)
        : column.push(values, value, valueStart, valueEnd, epoch);
    this.#lastCode = code;
    this.#lastWasKnown = values.count === before;
    this.#cells(level).push(code);
  }

  /**
   * Adds the attribute once more that came in the same encoded bytes (key, type and value) a moment ago. False: nothing was
   * added; call {@link attribute}, then {@link remember}.
   */
  repeat(level: AttributeLevel, encoded: Uint8Array, start: number, end: number): boolean {
    const recent = this.#recentAttributes;
    return (
      recent.find(level, this.#views.of(encoded), start, end) &&
      this.again(level, recent.column, recent.code)
    );
  }

  /** Adds an attribute of these places, see {@link lastColumn}, once more; false: nothing was added, its column is plain. */
  again(level: AttributeLevel, columnId: number, code: number): boolean {
    const column = this.#columns[columnId]!;
    if (column.isPlain) return false;
    column.pushKnown(this.#epoch);
    this.#follow(level, column);
    this.#cells(level).push(code);
    return true;
  }

  /** Places of the attribute added last, of its column and of its value; they hold while the epoch does. */
  get lastColumn(): number {
    return this.#last!.id;
  }
  get lastCode(): number {
    return this.#lastCode;
  }

  /** Changes when columns and codes begin to mean something else. */
  get epoch(): number {
    return this.#epoch;
  }

  /** Says in which bytes the attribute came that was just added after {@link repeat} did not know them. */
  remember(level: AttributeLevel, encoded: Uint8Array, start: number, end: number): void {
    // A value that is here for the first time is most often one that never comes again.
    if (!this.#lastWasKnown) return;
    this.#recentAttributes.put(
      level,
      this.#views.of(encoded),
      start,
      end,
      this.#last!.id,
      this.#lastCode,
    );
  }

  /** Remembers this place; symbols and rows added from now on can be taken back. */
  mark(): BatchMark {
    this.#epoch++;
    return {
      epoch: this.#epoch,
      rows: this.rows,
      events: this.events,
      links: this.links,
      columns: this.#columns.length,
      shapes: this.#shapes.count,
      symbols: this.#tables().map((table) => table.count),
      rowCells: this.#rowCells.count,
      eventCells: this.#eventCells.count,
      linkCells: this.#linkCells.count,
    };
  }

  /** Takes back everything since the mark. */
  rollback(mark: BatchMark): void {
    this.rows = mark.rows;
    this.events = mark.events;
    this.links = mark.links;
    this.#columnSet.rollback(mark.columns, mark.epoch);
    this.#recentAttributes.clear();
    this.#leaveSpan();
    this.#shapes.truncate(mark.shapes);
    this.#tables().forEach((table, i) => table.truncate(mark.symbols[i]!));
    this.#rowCells.count = mark.rowCells;
    this.#eventCells.count = mark.eventCells;
    this.#linkCells.count = mark.linkCells;
    this.#epoch++;
  }

  /** Makes the batch and empties the builder. */
  finish(): SpanBatch {
    const { rows, events, links } = this;
    const [values, ...tables] = this.#tables();
    const batch = SpanBatch.allocate({
      rows,
      events,
      links,
      shapes: this.#shapes.count,
      shapeColumns: this.#shapes.columnCount,
      cells: this.#rowCells.count + this.#eventCells.count + this.#linkCells.count,
      values: values!,
      tables,
      columns: this.#columns,
    });
    copyWords(batch.startLo, this.startLo);
    copyWords(batch.startHi, this.startHi);
    copyWords(batch.durationLo, this.durationLo);
    copyWords(batch.durationHi, this.durationHi);
    copyWords(batch.flags, this.flags);
    copyWords(batch.name, this.name);
    copyWords(batch.resource, this.resource);
    copyWords(batch.scope, this.scope);
    copyWords(batch.shape, this.#shape);
    copyBytes(batch.traceId, this.traceId);
    copyBytes(batch.spanId, this.spanId);
    copyBytes(batch.parentSpanId, this.parentSpanId);
    copyBytes(batch.kind, this.kind);
    copyBytes(batch.status, this.status);
    copyTable(batch.names, this.names);
    copyTable(batch.resources, this.resources);
    copyTable(batch.scopes, this.scopes);
    copyTable(batch.eventNames, this.eventNames);
    copyTable(batch.keys, this.#keys);
    copyWords(batch.shapes.offsets, this.#shapes.offsets);
    copyWords(batch.shapes.columns, this.#shapes.columns);
    if (batch.events !== undefined) {
      batch.events.rowOffsets.set(this.#eventEnd.subarray(0, rows), 1);
      copyWords(batch.events.timeLo, this.eventTimeLo);
      copyWords(batch.events.timeHi, this.eventTimeHi);
      copyWords(batch.events.name, this.eventName);
      copyWords(batch.events.shape, this.#eventShape);
    }
    if (batch.links !== undefined) {
      batch.links.rowOffsets.set(this.#linkEnd.subarray(0, rows), 1);
      copyBytes(batch.links.traceId, this.linkTraceId);
      copyBytes(batch.links.spanId, this.linkSpanId);
      copyWords(batch.links.flags, this.linkFlags);
      copyWords(batch.links.shape, this.#linkShape);
    }
    this.#rowCells.copyTo(batch.cellCodes, 0);
    this.#eventCells.copyTo(batch.cellCodes, this.#rowCells.count);
    this.#linkCells.copyTo(batch.cellCodes, this.#rowCells.count + this.#eventCells.count);
    copyTable(batch.values, this.#values);
    this.clear();
    return batch;
  }

  /** Empties the builder. */
  clear(): void {
    this.rows = 0;
    this.events = 0;
    this.links = 0;
    this.#columnSet.clear();
    this.#leaveSpan();
    for (const start of this.#starts) start.next = start.nextBefore = undefined;
    this.#recentAttributes.clear();
    this.#rowCells.count = 0;
    this.#eventCells.count = 0;
    this.#linkCells.count = 0;
    this.#shapes.truncate(0);
    for (const table of this.#tables()) table.truncate(0);
    this.#views.clear();
    this.#keyViews.clear();
    this.#epoch++;
  }

  /** Forgets a span, event or link that was left in the middle. */
  #leaveSpan(): void {
    this.#spanShape.count = 0;
    this.#eventShapeList.count = 0;
    this.#linkShapeList.count = 0;
    this.#last = undefined;
  }

  /** The table of values, then those that a batch has beside it, in its order. */
  #tables(): SymbolInterner[] {
    return [this.#values, this.names, this.resources, this.scopes, this.eventNames, this.#keys];
  }

  /** Column for a key, with it added to the shape under way. */
  #column(
    level: AttributeLevel,
    type: ValueType,
    key: Uint8Array,
    start: number,
    end: number,
  ): AttributeColumnBuilder {
    const view = this.#keyViews.of(key);
    const last = this.#last ?? this.#starts[level]!;
    let column = last.next;
    if (column?.level !== level || !column.is(type, this.#keys, view, start, end)) {
      column = last.nextBefore;
      if (column?.level !== level || !column.is(type, this.#keys, view, start, end)) {
        column = this.#columnSet.find(level, type, key, start, end);
      }
    }
    this.#follow(level, column);
    return column;
  }

  /** Adds a column to the shape under way. */
  #follow(level: AttributeLevel, column: AttributeColumnBuilder): void {
    const last = this.#last ?? this.#starts[level]!;
    if (last.next !== column) {
      last.nextBefore = last.next;
      last.next = column;
    }
    this.#last = column;
    this.#list(level).push(column.id);
  }

  #list(level: AttributeLevel): WordList {
    if (level <= AttributeLevel.spanField) return this.#spanShape;
    return level <= AttributeLevel.eventField ? this.#eventShapeList : this.#linkShapeList;
  }

  #cells(level: AttributeLevel): WordList {
    if (level <= AttributeLevel.spanField) return this.#rowCells;
    return level <= AttributeLevel.eventField ? this.#eventCells : this.#linkCells;
  }

  #unpush(list: WordList): void {
    for (let i = 0; i < list.count; i++) this.#columns[list.words[i]!]!.pop();
    list.count = 0;
  }

  #unpushShape(shape: number): void {
    const { offsets, columns } = this.#shapes;
    for (let i = offsets[shape]!; i < offsets[shape + 1]!; i++) this.#columns[columns[i]!]!.pop();
  }

  #growRows(capacity: number): void {
    this.traceId = grownBytes(this.traceId, capacity * 16);
    this.spanId = grownBytes(this.spanId, capacity * 8);
    this.parentSpanId = grownBytes(this.parentSpanId, capacity * 8);
    this.traceWords = wordsOf(this.traceId);
    this.spanWords = wordsOf(this.spanId);
    this.parentWords = wordsOf(this.parentSpanId);
    this.kind = grownBytes(this.kind, capacity);
    this.status = grownBytes(this.status, capacity);
    this.startLo = grownWords(this.startLo, capacity);
    this.startHi = grownWords(this.startHi, capacity);
    this.durationLo = grownWords(this.durationLo, capacity);
    this.durationHi = grownWords(this.durationHi, capacity);
    this.flags = grownWords(this.flags, capacity);
    this.name = grownWords(this.name, capacity);
    this.resource = grownWords(this.resource, capacity);
    this.scope = grownWords(this.scope, capacity);
    this.#shape = grownWords(this.#shape, capacity);
    this.#eventEnd = grownWords(this.#eventEnd, capacity);
    this.#linkEnd = grownWords(this.#linkEnd, capacity);
  }

  #growEvents(): void {
    const capacity = this.events * 2;
    this.eventTimeLo = grownWords(this.eventTimeLo, capacity);
    this.eventTimeHi = grownWords(this.eventTimeHi, capacity);
    this.eventName = grownWords(this.eventName, capacity);
    this.#eventShape = grownWords(this.#eventShape, capacity);
  }

  #growLinks(): void {
    const capacity = this.links * 2;
    this.linkTraceId = grownBytes(this.linkTraceId, capacity * 16);
    this.linkSpanId = grownBytes(this.linkSpanId, capacity * 8);
    this.linkFlags = grownWords(this.linkFlags, capacity);
    this.#linkShape = grownWords(this.#linkShape, capacity);
  }
}
