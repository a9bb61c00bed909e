// SPDX-License-Identifier: Apache-2.0
import { SpoorError } from './errors.ts';
import type { WordList } from './word-list.ts';

/** What a batch has of each span, event, link and attribute at least, in bytes: ids, times, codes. */
const ROW_BYTES = 70;
const EVENT_BYTES = 16;
const LINK_BYTES = 32;
const CELL_BYTES = 4;

/**
 * A batch is copied to the log and its checksum taken in one turn of the event loop, some 7 ms a MiB where memory is slow. A span is
 * in one batch, so none may be larger.
 */
export const MAX_BATCH_BYTES = 8 << 20;

/** Links that a span of a request may have. An empty one of two bytes, or one, takes some 60 while it is decoded. */
const MAX_SPAN_LINKS = MAX_BATCH_BYTES / LINK_BYTES;

/** Events that a span of a request may have. */
const MAX_SPAN_EVENTS = MAX_BATCH_BYTES / EVENT_BYTES;

/** Attributes that a span of a request may have; and all its events together, and all its links. */
const MAX_SPAN_ATTRIBUTES = MAX_BATCH_BYTES / CELL_BYTES;

/**
 * Refuses spans that would take over 8 MiB of their batch whatever they hold, before all of them is in memory; nothing until it is
 * turned on, since stored spans are there already.
 */
export class SpanLimits {
  #isOn = false;

  /** @param lists of the attributes of a span, event or link under way */
  turnOn(lists: readonly WordList[]): void {
    this.#isOn = true;
    for (const list of lists) list.limit(MAX_SPAN_ATTRIBUTES, refuseAttributes);
  }

  /** Before an event is added to `count`. @throws {SpoorError} too_large */
  checkEvents(count: number): void {
    if (this.#isOn && count >= MAX_SPAN_EVENTS) refuse('events', MAX_SPAN_EVENTS);
  }

  /** Before a link is added to `count`. @throws {SpoorError} too_large */
  checkLinks(count: number): void {
    if (this.#isOn) checkLinks(count);
  }

  /** @param count attributes of the events of the span so far, or of its links @throws {SpoorError} too_large */
  checkCells(count: number): void {
    if (this.#isOn && count > MAX_SPAN_ATTRIBUTES) refuseAttributes();
  }
}

/** Before a link is added to `count` of a span. @throws {SpoorError} too_large */
export function checkLinks(count: number): void {
  if (count >= MAX_SPAN_LINKS) refuse('links', MAX_SPAN_LINKS);
}

/** Whether a batch of these is too large whatever texts it has. */
export function isLarge(rows: number, events: number, links: number, cells: number): boolean {
  const bytes = rows * ROW_BYTES + events * EVENT_BYTES + links * LINK_BYTES + cells * CELL_BYTES;
  return bytes > MAX_BATCH_BYTES;
}

function refuseAttributes(): never {
  return refuse('attributes', MAX_SPAN_ATTRIBUTES);
}

function refuse(what: string, max: number): never {
  throw new SpoorError('too_large', `a span with more than ${max} ${what}`);
}
