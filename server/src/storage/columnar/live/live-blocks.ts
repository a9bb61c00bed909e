// SPDX-License-Identifier: Apache-2.0
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { UnreadableSpans } from '#storage/tracestore.ts';
import { blockPath, overlapsPath } from '../block/block-path.ts';
import type { DamageReport } from '../directory/damage-report.ts';
import type { BlocksMessage, DamagedBlock } from './known-blocks.ts';
import type { Manifest } from '../manifest/manifest.ts';
import type { BlockEntry, ManifestEdit, SetAsideBlock } from '../manifest/manifest-edit.ts';
import { RetiredFiles } from './retired-files.ts';

/** No record of the manifest is to be of more than some 300 kB. */
const REDATED_AT_ONCE = 1000;

/** Options of {@link LiveBlocks}. */
export interface LiveBlocksOptions {
  readonly dir: string;
  /** Where what cannot be read is listed. */
  readonly damage: DamageReport;
  readonly unlink: (path: string) => Promise<void>;
  /** The manifest of the moment. @throws {SpoorError} unavailable while there is none */
  readonly manifest: () => Manifest;
  /** Tells the workers that look into blocks which came and went. */
  readonly tell: (message: BlocksMessage) => void;
}

/** The blocks that count: the one place where they come and go, in the manifest, for the workers and on the disk. */
export class LiveBlocks {
  readonly #options: LiveBlocksOptions;
  /** Files of blocks that were removed while somebody looked into them. */
  readonly #retired: RetiredFiles;
  /** Blocks that are left out, which the manifest does not say yet. */
  #unnoted: readonly SetAsideBlock[] = [];
  /** See {@link waiting}. */
  #waiting: readonly BlockEntry[] = [];
  /** Work that must not overlap; never rejects. */
  #alone: Promise<unknown> = Promise.resolve();

  constructor(options: LiveBlocksOptions) {
    this.#options = options;
    this.#retired = new RetiredFiles(options.unlink);
  }

  all(): BlockEntry[] {
    const manifest = this.#options.manifest();
    return manifest.tenants().flatMap((tenant) => manifest.blocks(tenant));
  }

  /** Whether a block counts, readable or not. */
  has({ tenant, id }: Pick<BlockEntry, 'tenant' | 'id'>): boolean {
    return this.#options.manifest().has(tenant, id);
  }

  /** Those that were not found to be damaged. */
  readable(): BlockEntry[] {
    const { damage } = this.#options;
    return this.all().filter(({ id }) => !damage.blocks.has(id));
  }

  /** Those that do not count for want of room to have the manifest name them: the next start with more room does. */
  get waiting(): readonly BlockEntry[] {
    return this.#waiting;
  }

  /** Says which blocks wait for room; answers are without them. */
  setWaiting(waiting: readonly BlockEntry[]): void {
    this.#waiting = waiting;
  }

  /** What of a tenant is left out of all answers, since it is damaged or waits for room; undefined for nothing. */
  unreadable(tenant: Tenant): UnreadableSpans | undefined {
    const { damage, manifest } = this.#options;
    if (damage.blocks.size === 0) return undefined;
    const named = manifest().blocks(tenant);
    const blocks = [
      ...named.filter(({ id }) => damage.blocks.has(id)),
      ...this.#waiting.filter((block) => block.tenant === tenant),
    ];
    return blocks.map(spansOf).reduce<UnreadableSpans | undefined>(together, undefined);
  }

  /** Those that the disk failed to read. */
  unread(): BlockEntry[] {
    const { damage } = this.#options;
    return this.all().filter(({ id }) => damage.blocks.get(id)?.isReadError === true);
  }

  /** Why nothing can be committed any more; undefined while all is well. */
  get failed(): string | undefined {
    return this.#options.manifest().failed;
  }

  takeId(): number {
    return this.#options.manifest().takeBlockId();
  }

  /** What a worker that starts now is to know. */
  message(): BlocksMessage {
    const { damage } = this.#options;
    const unreadable = this.all().filter(({ id }) => damage.blocks.has(id));
    return this.#message({ addBlocks: this.readable() }, unreadable);
  }

  /** Says that somebody looks into blocks from now on; the function that is returned says that they are done. */
  hold(): () => void {
    return this.#retired.hold();
  }

  /**
   * Makes blocks come and go in one step, for the workers too; files that go are removed when nobody needs them. When it fails, the
   * files of blocks that were to come are removed.
   */
  async commit(edit: ManifestEdit): Promise<void> {
    const { dir, damage, manifest, tell } = this.#options;
    const into = manifest();
    // A block with copies of what one that is left out holds must not count before it is said that this one does not.
    const setAside = this.#unnoted;
    try {
      await into.commit({ ...edit, setAside });
    } catch (error) {
      // Unless the next start may find the commit all the same.
      if (into.failed === undefined) await this.discard(edit.addBlocks ?? []);
      throw error;
    }
    this.#unnoted = this.#unnoted.filter((block) => !setAside.includes(block));
    tell(this.#message(edit));
    const removed = edit.removeBlocks ?? [];
    for (const { id } of removed) damage.forgetBlock(id);
    // What blocks of a tenant share has names of its services in it.
    const emptied = new Set(
      removed.map(({ tenant }) => tenant).filter((one) => !into.hasTenant(one)),
    );
    this.#retired.retire([
      ...removed.map(({ tenant, id }) => blockPath(dir, tenant, id)),
      ...[...emptied].map((tenant) => overlapsPath(dir, tenant)),
    ]);
  }

  /** Gives blocks that count other dates; who looks into them need not know. */
  async redate(blocks: readonly BlockEntry[]): Promise<void> {
    for (let i = 0; i < blocks.length; i += REDATED_AT_ONCE) {
      const redateBlocks = blocks.slice(i, i + REDATED_AT_ONCE);
      await this.#options.manifest().commit({ redateBlocks });
    }
  }

  /** Removes the files of blocks that will not count. */
  async discard(blocks: readonly Pick<BlockEntry, 'tenant' | 'id'>[]): Promise<void> {
    const { dir, unlink } = this.#options;
    for (const { tenant, id } of blocks) {
      await unlink(blockPath(dir, tenant, id)).catch(() => undefined);
    }
  }

  /** What one worker could not read, no worker looks into any more: otherwise copies of its spans might count, or be dropped. */
  noteDamage(damaged: readonly DamagedBlock[]): void {
    const { dir, damage, tell } = this.#options;
    for (const { tenant, id, reason, isReadError } of damaged) {
      // One that is gone meanwhile takes nothing away.
      if (!this.has({ tenant, id })) continue;
      if (!damage.addBlock(id, blockPath(dir, tenant, id), reason, isReadError)) continue;
      this.#unnoted = [...this.#unnoted, { tenant, id, reason }];
      tell(this.#message({}, [{ tenant, id }]));
      // What fails is noted with the next commit.
      void this.commit({}).catch(() => undefined);
    }
  }

  /** Notes what a start found; to be called before anything is sealed. @throws {SpoorError} unavailable */
  async noteFound(): Promise<void> {
    const { damage, manifest } = this.#options;
    const { setAside } = manifest();
    for (const { tenant, id } of this.all()) {
      const reason = damage.blocks.get(id)?.reason;
      if (reason === undefined || setAside.has(id)) continue;
      this.#unnoted = [...this.#unnoted, { tenant, id, reason }];
    }
    if (this.#unnoted.length > 0) await this.commit({});
  }

  /** Does something that must not overlap with another call of this. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    const done = this.#alone.then(work);
    this.#alone = done.catch(() => undefined);
    return done;
  }

  /** Waits for files that are being removed. */
  async settled(): Promise<void> {
    await this.#retired.settled();
  }

  #message(
    { addBlocks = [], removeBlocks = [] }: ManifestEdit,
    unreadable: BlocksMessage['unreadable'] = [],
  ): BlocksMessage {
    return { dir: this.#options.dir, added: addBlocks, removed: removeBlocks, unreadable };
  }
}

function spansOf({ spans, minStartUnixNano, maxStartUnixNano }: BlockEntry): UnreadableSpans {
  return {
    blocks: 1,
    spans,
    startMinUnixNano: minStartUnixNano,
    startMaxUnixNano: maxStartUnixNano,
  };
}

function together(a: UnreadableSpans | undefined, b: UnreadableSpans): UnreadableSpans {
  if (a === undefined) return b;
  return {
    blocks: a.blocks + b.blocks,
    spans: a.spans + b.spans,
    startMinUnixNano:
      a.startMinUnixNano < b.startMinUnixNano ? a.startMinUnixNano : b.startMinUnixNano,
    startMaxUnixNano:
      a.startMaxUnixNano > b.startMaxUnixNano ? a.startMaxUnixNano : b.startMaxUnixNano,
  };
}
