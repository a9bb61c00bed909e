// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from 'node:path';
import type { OpenMode, StoreFile, StoreFiles } from '../store-files.ts';

/** What a file call does wrong. `short`: a write takes half of its bytes, other calls go well. */
export type Fault = 'EIO' | 'ENOSPC' | 'short';

/** How much of what was not synced a power loss leaves: nothing, everything, or each sector by chance. */
export type PowerLoss = { readonly keep: 'nothing' | 'all' } | { readonly chance: () => number };

interface Inode {
  bytes: Uint8Array;
  size: number;
  /** What is on the platter. */
  durable: Uint8Array;
}

/** Pieces that a device writes whole. */
const SECTOR_BYTES = 512;

/**
 * A file system in memory that fails on command and forgets what was not synced. Calls are counted from 1.
 */
export class FaultyFiles implements StoreFiles {
  readonly #names = new Map<string, Inode>();
  #durableNames = new Map<string, Inode>();
  #fault: ((call: number, name: string) => Fault | undefined) | undefined;
  #calls = 0;
  #dead = false;
  /** Sum of the sizes of all files from which on none can grow: a full disk. */
  capacityBytes = Infinity;
  /** Names of the calls made, for a test that looks at order. */
  readonly log: string[] = [];

  /** Calls made so far. */
  get calls(): number {
    return this.#calls;
  }

  /** Lets the call with this number fail, and with `forever` all after it. */
  failAt(call: number, kind: Fault, forever = false): void {
    this.#fault = (now) => ((forever ? now >= call : now === call) ? kind : undefined);
  }

  /** Lets every call of this name fail until {@link heal}. */
  failEach(name: keyof StoreFiles | keyof StoreFile, kind: Fault): void {
    this.#fault = (_, now) => (now === name ? kind : undefined);
  }

  heal(): void {
    this.#fault = undefined;
  }

  /** The state after a power loss now. What runs on this object goes on failing, like a process that is gone. */
  powerLoss(loss: PowerLoss): FaultyFiles {
    const after = new FaultyFiles();
    const inodes = new Map<Inode, Inode>();
    const keepAll = 'keep' in loss && loss.keep === 'all';
    const survive = (inode: Inode): Inode => {
      const known = inodes.get(inode);
      if (known !== undefined) return known;
      const bytes = surviving(inode, loss);
      const made = { bytes, size: bytes.length, durable: new Uint8Array(bytes) };
      inodes.set(inode, made);
      return made;
    };
    const names = keepAll ? this.#names : this.#durableNames;
    for (const [path, inode] of names) after.#names.set(path, survive(inode));
    after.#durableNames = new Map(after.#names);
    this.#dead = true;
    return after;
  }

  /** Content of a file now, to be looked at or put back changed. */
  content(path: string): Uint8Array {
    const inode = this.#inode(path);
    return inode.bytes.slice(0, inode.size);
  }

  /** Gives a file this content, durably. */
  put(path: string, bytes: Uint8Array): void {
    const inode = { bytes: bytes.slice(), size: bytes.length, durable: bytes.slice() };
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    return [...this.#names.keys()].sort();
  }

  async open(path: string, mode: OpenMode): Promise<StoreFile> {
    await this.#call('open', path);
    if (mode === 'create') {
      const known = this.#names.get(path);
      if (known === undefined) {
        this.#names.set(path, { bytes: new Uint8Array(0), size: 0, durable: new Uint8Array(0) });
      } else {
        known.size = 0;
      }
    }
    const inode = this.#inode(path);
    return {
      size: async () => {
        await this.#call('size', path);
        return inode.size;
      },
      read: async (into, position) => {
        await this.#call('read', path);
        const from = inode.bytes.subarray(position, Math.min(inode.size, position + into.length));
        into.set(from);
        return from.length;
      },
      writev: async (views, position) => {
        const kind = await this.#call('writev', path);
        let total = 0;
        for (const view of views) total += view.length;
        const taken = kind === 'short' ? Math.ceil(total / 2) : total;
        const joined = new Uint8Array(total);
        let at = 0;
        for (const view of views) {
          joined.set(view, at);
          at += view.length;
        }
        const fits = this.#fitting(inode, position, taken);
        if (fits === 0 && taken > 0) throw fileError('ENOSPC', `writev ${path}`);
        write(inode, joined.subarray(0, fits), position);
        return fits;
      },
      fdatasync: async () => {
        await this.#call('fdatasync', path);
        inode.durable = inode.bytes.slice(0, inode.size);
      },
      truncate: async (length) => {
        await this.#call('truncate', path);
        if (length > inode.size) write(inode, new Uint8Array(length - inode.size), inode.size);
        inode.size = length;
      },
      close: () => this.#call('close', path).then(() => undefined),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#call('rename', to);
    const inode = this.#inode(from);
    this.#names.delete(from);
    this.#names.set(to, inode);
  }

  async unlink(path: string): Promise<void> {
    await this.#call('unlink', path);
    this.#inode(path);
    this.#names.delete(path);
  }

  async mkdir(path: string): Promise<void> {
    await this.#call('mkdir', path);
  }

  async readdir(path: string): Promise<string[]> {
    await this.#call('readdir', path);
    return [...this.#names.keys()]
      .filter((name) => dirname(name) === join(path))
      .map((name) => basename(name));
  }

  async fsyncDir(path: string): Promise<void> {
    await this.#call('fsyncDir', path);
    const inside = (name: string): boolean => dirname(name) === join(path);
    for (const name of this.#durableNames.keys()) {
      if (inside(name) && !this.#names.has(name)) this.#durableNames.delete(name);
    }
    for (const [name, inode] of this.#names) {
      if (inside(name)) this.#durableNames.set(name, inode);
    }
  }

  /** Counts a call; throws when it is to fail, and tells when it is to be short. */
  async #call(name: string, path: string): Promise<Fault | undefined> {
    const call = ++this.#calls;
    this.log.push(`${name} ${basename(path)}`);
    // A real call never answers in the same turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (this.#dead) throw fileError('EIO', `${name} ${path}: the power is gone`);
    const kind = this.#fault?.(call, name);
    if (kind === 'EIO' || kind === 'ENOSPC') throw fileError(kind, `${name} ${path}`);
    return kind;
  }

  /** How many of the bytes to write at a position the disk has room for. */
  #fitting(inode: Inode, position: number, length: number): number {
    let free = this.capacityBytes;
    for (const { size } of new Set(this.#names.values())) free -= size;
    return Math.max(0, Math.min(length, inode.size - position + Math.max(0, free)));
  }

  #inode(path: string): Inode {
    const inode = this.#names.get(path);
    if (inode === undefined) throw fileError('ENOENT', path);
    return inode;
  }
}

function fileError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}

function write(inode: Inode, bytes: Uint8Array, position: number): void {
  const end = position + bytes.length;
  if (end > inode.bytes.length) {
    const grown = new Uint8Array(end * 2);
    grown.set(inode.bytes.subarray(0, inode.size));
    inode.bytes = grown;
  }
  inode.bytes.fill(0, Math.min(inode.size, position), position);
  inode.bytes.set(bytes, position);
  inode.size = Math.max(inode.size, end);
}

/** Content of a file after a power loss. */
function surviving(inode: Inode, loss: PowerLoss): Uint8Array {
  const now = inode.bytes.slice(0, inode.size);
  if ('keep' in loss) return loss.keep === 'all' ? now : inode.durable.slice();
  const size = loss.chance() < 0.5 ? now.length : inode.durable.length;
  const after = new Uint8Array(size);
  for (let at = 0; at < size; at += SECTOR_BYTES) {
    const from = loss.chance() < 0.5 ? now : inode.durable;
    after.set(from.subarray(at, Math.min(size, at + SECTOR_BYTES)), at);
  }
  return after;
}
