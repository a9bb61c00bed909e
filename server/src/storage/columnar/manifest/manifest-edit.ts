// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { parseTenant } from '@spoor/core/model/ids.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';

/** A block that is part of the store. */
export interface BlockEntry {
  readonly tenant: Tenant;
  /** Ascending over all tenants, never given twice: see `Manifest.takeBlockId`. */
  readonly id: number;
  /** 0 as sealed, 1 and 2 after merging. */
  readonly level: number;
  readonly spans: number;
  readonly traces: number;
  readonly sizeBytes: number;
  /** Of the spans' start times. */
  readonly minStartUnixNano: bigint;
  readonly maxStartUnixNano: bigint;
  readonly createdUnixMs: number;
  /** It was sealed while the clock was in doubt: its date is provisional, and no proof of the time. */
  readonly isUndated?: boolean;
  /** Lowest and highest sequence of the write-ahead log among its records. */
  readonly firstSequence: number;
  readonly lastSequence: number;
}

/** Names a block. */
interface BlockKey {
  readonly tenant: Tenant;
  readonly id: number;
}

/** A block that cannot be read, and why. */
export interface SetAsideBlock extends BlockKey {
  readonly reason: string;
}

/** What one commit changes, all of it or nothing. */
export interface ManifestEdit {
  readonly addBlocks?: readonly BlockEntry[];
  readonly removeBlocks?: readonly BlockKey[];
  /** Blocks that are there and stay, with other dates. */
  readonly redateBlocks?: readonly BlockEntry[];
  /**
   * Blocks that are left out of all answers from now on, until they are removed. What they hold may be in other blocks as well since
   * then: they can only come back written anew.
   */
  readonly setAside?: readonly SetAsideBlock[];
  /** Every record of the log up to this sequence, of all tenants, is in blocks. Never goes back. */
  readonly walUpto?: number;
  /** The same for single tenants, when others hold `walUpto` back. */
  readonly tenantUpto?: readonly { readonly tenant: Tenant; readonly sequence: number }[];
  /** Ids of segments of the log that are there from now on, and that are not any more. */
  readonly addSegments?: readonly number[];
  readonly removeSegments?: readonly number[];
  /** Sequence of the last record of the log when the store was shut down in good order: a log that ends before has lost something. */
  readonly logEnd?: number;
  /**
   * Requests in records of the log up to this sequence are new ones when they are sent again: what they brought may have been deleted since.
   * Never goes back.
   */
  readonly forgottenUpto?: number;
}

/** An edit as a record holds it; `nextBlockId` stands in records that a compaction wrote. */
export interface RecordedEdit extends ManifestEdit {
  readonly nextBlockId?: number;
}

/*
 * The payload of a record of the manifest is JSON: a list of changes, each an object whose `type` says
 * which others it has.
 *
 *   {"type":"add_block","tenant":"default","id":7,"level":0,"spans":131072,"traces":9000,"size_bytes":5000000,
 *    "min_start":"1700000000000000000","max_start":"1700000060000000000","created_ms":1700000061000,
 *    "first_sequence":41,"last_sequence":90}            and "undated":true while its created_ms is provisional
 *   {"type":"remove_block","tenant":"default","id":3}
 *   {"type":"set_aside","tenant":"default","id":5,"reason":"checksum of frame 3 is wrong"}
 *   {"type":"wal_upto","sequence":90}
 *   {"type":"tenant_upto","tenant":"default","sequence":97}
 *   {"type":"next_block_id","id":8}
 *   {"type":"add_segment","id":12}
 *   {"type":"remove_segment","id":11}
 *   {"type":"log_end","sequence":97}
 *   {"type":"forget_requests","sequence":97}
 *
 * A reader that meets a type it does not know must not open the store: what it says may be that data is gone.
 */

/** The payload of a record. */
export function encodeEdit(edit: RecordedEdit): string {
  const changes: object[] = [];
  // A block that is there already is replaced by what is added under its id.
  for (const block of [...(edit.addBlocks ?? []), ...(edit.redateBlocks ?? [])]) {
    changes.push({
      type: 'add_block',
      tenant: block.tenant,
      id: block.id,
      level: block.level,
      spans: block.spans,
      traces: block.traces,
      size_bytes: block.sizeBytes,
      min_start: String(block.minStartUnixNano),
      max_start: String(block.maxStartUnixNano),
      created_ms: block.createdUnixMs,
      ...(block.isUndated === true ? { undated: true } : {}),
      first_sequence: block.firstSequence,
      last_sequence: block.lastSequence,
    });
  }
  for (const { tenant, id } of edit.removeBlocks ?? []) {
    changes.push({ type: 'remove_block', tenant, id });
  }
  for (const { tenant, id, reason } of edit.setAside ?? []) {
    changes.push({ type: 'set_aside', tenant, id, reason });
  }
  if (edit.walUpto !== undefined) changes.push({ type: 'wal_upto', sequence: edit.walUpto });
  for (const { tenant, sequence } of edit.tenantUpto ?? []) {
    changes.push({ type: 'tenant_upto', tenant, sequence });
  }
  if (edit.nextBlockId !== undefined) changes.push({ type: 'next_block_id', id: edit.nextBlockId });
  for (const id of edit.removeSegments ?? []) changes.push({ type: 'remove_segment', id });
  for (const id of edit.addSegments ?? []) changes.push({ type: 'add_segment', id });
  if (edit.logEnd !== undefined) changes.push({ type: 'log_end', sequence: edit.logEnd });
  if (edit.forgottenUpto !== undefined) {
    changes.push({ type: 'forget_requests', sequence: edit.forgottenUpto });
  }
  return JSON.stringify(changes);
}

/**
 * Reads the payload of a record whose checksum was found right.
 * @throws {SpoorError} corrupt for a type that only a newer version knows, or a field that is missing or wrong
 */
export function decodeEdit(payload: string): RecordedEdit {
  const changes: unknown = JSON.parse(payload);
  if (!Array.isArray(changes)) throw new SpoorError('corrupt', 'manifest: a record is no list');
  const addBlocks: BlockEntry[] = [];
  const removeBlocks: BlockKey[] = [];
  const setAside: SetAsideBlock[] = [];
  const tenantUpto: { tenant: Tenant; sequence: number }[] = [];
  const addSegments: number[] = [];
  const removeSegments: number[] = [];
  let walUpto: number | undefined;
  let nextBlockId: number | undefined;
  let logEnd: number | undefined;
  let forgottenUpto: number | undefined;
  for (const change of changes) {
    const fields = new ChangeFields(change);
    const type = fields.text('type');
    switch (type) {
      case 'add_block':
        addBlocks.push({
          tenant: parseTenant(fields.text('tenant')),
          id: fields.count('id'),
          level: fields.count('level'),
          spans: fields.count('spans'),
          traces: fields.count('traces'),
          sizeBytes: fields.count('size_bytes'),
          minStartUnixNano: fields.nanos('min_start'),
          maxStartUnixNano: fields.nanos('max_start'),
          createdUnixMs: fields.count('created_ms'),
          ...(fields.has('undated') ? { isUndated: true } : {}),
          firstSequence: fields.count('first_sequence'),
          lastSequence: fields.count('last_sequence'),
        });
        break;
      case 'remove_block':
        removeBlocks.push({ tenant: parseTenant(fields.text('tenant')), id: fields.count('id') });
        break;
      case 'set_aside':
        setAside.push({
          tenant: parseTenant(fields.text('tenant')),
          id: fields.count('id'),
          reason: fields.text('reason'),
        });
        break;
      case 'wal_upto':
        walUpto = fields.count('sequence');
        break;
      case 'tenant_upto':
        tenantUpto.push({
          tenant: parseTenant(fields.text('tenant')),
          sequence: fields.count('sequence'),
        });
        break;
      case 'next_block_id':
        nextBlockId = fields.count('id');
        break;
      case 'add_segment':
        addSegments.push(fields.count('id'));
        break;
      case 'remove_segment':
        removeSegments.push(fields.count('id'));
        break;
      case 'log_end':
        logEnd = fields.count('sequence');
        break;
      case 'forget_requests':
        forgottenUpto = fields.count('sequence');
        break;
      default:
        throw new SpoorError(
          'corrupt',
          `manifest: a change of type ${quote(type)} is newer than this version reads`,
        );
    }
  }
  return {
    addBlocks,
    removeBlocks,
    setAside,
    tenantUpto,
    addSegments,
    removeSegments,
    ...(walUpto === undefined ? {} : { walUpto }),
    ...(logEnd === undefined ? {} : { logEnd }),
    ...(forgottenUpto === undefined ? {} : { forgottenUpto }),
    ...(nextBlockId === undefined ? {} : { nextBlockId }),
  };
}

/** Checked access to the fields of a change. */
class ChangeFields {
  readonly #fields: ReadonlyMap<string, unknown>;

  constructor(change: unknown) {
    this.#fields = new Map(
      typeof change === 'object' && change !== null ? Object.entries(change) : [],
    );
  }

  has(name: string): boolean {
    return this.#fields.has(name);
  }

  text(name: string): string {
    const value = this.#fields.get(name);
    return typeof value === 'string' ? value : this.#refuse(name, 'a text', value);
  }

  count(name: string): number {
    const value = this.#fields.get(name);
    const good = typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;
    return good ? value : this.#refuse(name, 'a whole number from 0 to 2^53 - 1', value);
  }

  nanos(name: string): bigint {
    const value = this.#fields.get(name);
    const good = typeof value === 'string' && /^[0-9]{1,20}$/.test(value);
    return good ? BigInt(value) : this.#refuse(name, 'Unix nanoseconds', value);
  }

  #refuse(name: string, what: string, value: unknown): never {
    throw new SpoorError(
      'corrupt',
      `manifest: ${name} of a change is ${quote(JSON.stringify(value) ?? 'missing')}, not ${what}`,
    );
  }
}
