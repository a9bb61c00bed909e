// SPDX-License-Identifier: Apache-2.0
import { basename, dirname, join } from 'node:path';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type {
  DirectoryLock,
  DiskRoom,
  OpenMode,
  StoreFile,
  StoreFiles,
  WorkerFile,
  WorkerFiles,
} from '../files/store-files.ts';
import { Inode } from './faulty-inode.ts';

/** What a file call does wrong. `short`: a read or write takes half of its bytes, other calls go well. */
export const FAULTS = ['EIO', 'ENOSPC', 'short'] as const;
export type Fault = (typeof FAULTS)[number];

/**
 * How much of what was not synced a power loss leaves: nothing, everything, or each sector, size and name by chance, so that what
 * was written later may be there without what was written before.
 */
export type PowerLoss = { readonly keep: 'nothing' | 'all' } | { readonly chance: () => number };

type Names = Map<string, Inode | 'directory'>;

/** A change of names that a power loss may forget. */
interface NameChange {
  /** The directory that has to be synced for it. */
  readonly dir: string;
  apply(names: Names): void;
}

/**
 * A file system in memory that fails on command and forgets what was not synced. Calls, those of workers too, are counted from 1.
 * Directories directly below the root are there from the beginning.
 */
export class FaultyFiles implements StoreFiles {
  readonly #names: Names = new Map();
  /** Names on the platter, and the changes since, in order. */
  #durableNames: Names = new Map();
  #changes: NameChange[] = [];
  readonly #locked = new Set<string>();
  #fault: ((call: number, name: string, path: string) => Fault | undefined) | undefined;
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

  /** Lets every call of this name fail, or those on one file, until {@link heal}. */
  failEach(name: keyof StoreFiles | keyof StoreFile, kind: Fault, path?: string): void {
    this.#fault = (_, now, at) =>
      now === name && (path === undefined || at === path) ? kind : undefined;
  }

  heal(): void {
    this.#fault = undefined;
  }

  /** The state after a power loss now. What runs on this object goes on failing, like a process that is gone. */
  powerLoss(loss: PowerLoss): FaultyFiles {
    const after = new FaultyFiles();
    const keepAll = 'keep' in loss && loss.keep === 'all';
    const names = new Map(keepAll ? this.#names : this.#durableNames);
    if ('chance' in loss) {
      for (const change of this.#changes) if (loss.chance() < 0.5) change.apply(names);
    }
    const inodes = new Map<Inode, Inode>();
    for (const [path, node] of names) {
      if (!isReachable(names, path)) continue;
      if (node === 'directory') {
        after.#names.set(path, node);
        continue;
      }
      const survivor = inodes.get(node) ?? node.after(loss);
      inodes.set(node, survivor);
      after.#names.set(path, survivor);
    }
    after.#durableNames = new Map(after.#names);
    this.#dead = true;
    return after;
  }

  /** A copy in which all is durable, to be changed without changing this one. */
  copy(): FaultyFiles {
    const after = new FaultyFiles();
    for (const [path, node] of this.#names) {
      after.#names.set(path, node === 'directory' ? node : node.after({ keep: 'all' }));
    }
    after.#durableNames = new Map(after.#names);
    return after;
  }

  /** Content of a file now, to be looked at or put back changed. */
  content(path: string): Uint8Array {
    return this.#inode(path).content();
  }

  /** Gives a file this content, durably. */
  put(path: string, bytes: Uint8Array): void {
    for (let dir = dirname(path); dir !== '/'; dir = dirname(dir)) {
      this.#names.set(dir, 'directory');
      this.#durableNames.set(dir, 'directory');
    }
    const inode = new Inode(bytes);
    this.#names.set(path, inode);
    this.#durableNames.set(path, inode);
  }

  /** Removes a file, durably. */
  remove(path: string): void {
    this.#names.delete(path);
    this.#durableNames.delete(path);
  }

  /** Paths of all files, sorted. */
  paths(): string[] {
    return [...this.#names]
      .filter(([, node]) => node !== 'directory')
      .map(([path]) => path)
      .sort();
  }

  /** The same files for workers. */
  readonly workers: WorkerFiles = {
    open: (path, mode) => this.#open(path, mode),
    unlink: (path) => this.#unlink(path),
    mkdir: (path) => this.#mkdir(path),
    fsyncDir: (path) => this.#fsyncDir(path),
  };

  async open(path: string, mode: OpenMode): Promise<StoreFile> {
    await turn();
    const file = this.#open(path, mode);
    return {
      size: () => turn().then(() => file.size()),
      read: (into, position) => turn().then(() => file.read(into, position)),
      writev: (views, position) => turn().then(() => file.writev(views, position)),
      fdatasync: () => turn().then(() => file.fdatasync()),
      truncate: (length) => turn().then(() => file.truncate(length)),
      close: () => turn().then(() => file.close()),
    };
  }

  async rename(from: string, to: string): Promise<void> {
    await turn();
    this.#call('rename', to);
    const inode = this.#inode(from);
    this.#change(dirname(to), (names) => {
      names.delete(from);
      names.set(to, inode);
    });
  }

  unlink(path: string): Promise<void> {
    return turn().then(() => this.#unlink(path));
  }

  mkdir(path: string): Promise<string | undefined> {
    return turn().then(() => this.#mkdir(path));
  }

  async readdir(path: string): Promise<string[]> {
    await turn();
    this.#call('readdir', path);
    if (this.#names.get(join(path)) instanceof Inode) throw fileError('ENOTDIR', path);
    if (!this.#isDirectory(path)) throw fileError('ENOENT', path);
    return [...this.#names.keys()]
      .filter((name) => dirname(name) === join(path))
      .map((name) => basename(name));
  }

  fsyncDir(path: string): Promise<void> {
    return turn().then(() => this.#fsyncDir(path));
  }

  async space(): Promise<DiskRoom> {
    // Not counted: it is called by the clock.
    await turn();
    return { freeBytes: this.#freeBytes(), totalBytes: this.capacityBytes };
  }

  lock(path: string): DirectoryLock {
    this.#call('lock', path);
    if (this.#locked.has(path)) throw new SpoorError('unavailable', `${path} is locked`);
    this.#locked.add(path);
    return {
      release: () => void this.#locked.delete(path),
      isLost: () => Promise.resolve(false),
    };
  }

  #open(path: string, mode: OpenMode): WorkerFile & { truncate(length: number): void } {
    this.#call('open', path);
    if (mode === 'create') this.#create(path);
    const inode = this.#inode(path);
    return {
      size: () => {
        this.#call('size', path);
        return inode.size;
      },
      read: (into, position) => {
        const kind = this.#call('read', path);
        return inode.read(kind === 'short' ? halfOf(into) : into, position);
      },
      writev: (views, position) => {
        const kind = this.#call('writev', path);
        const joined = Buffer.concat(views);
        const bytes = kind === 'short' ? halfOf(joined) : joined;
        const room = inode.size - position + Math.max(0, this.#freeBytes());
        if (room <= 0 && bytes.length > 0) throw fileError('ENOSPC', `writev ${path}`);
        inode.write(bytes.subarray(0, room), position);
        return Math.min(bytes.length, room);
      },
      fdatasync: () => {
        try {
          this.#call('fdatasync', path);
        } catch (error) {
          inode.failSync();
          throw error;
        }
        inode.sync();
      },
      truncate: (length) => {
        this.#call('truncate', path);
        inode.truncate(length);
      },
      close: () => {
        this.#call('close', path);
      },
    };
  }

  #create(path: string): void {
    const known = this.#names.get(path);
    if (known instanceof Inode) {
      known.truncate(0);
      return;
    }
    if (!this.#isDirectory(dirname(path))) throw fileError('ENOENT', path);
    const made = new Inode();
    this.#change(dirname(path), (names) => names.set(path, made));
  }

  #unlink(path: string): void {
    this.#call('unlink', path);
    this.#inode(path);
    this.#change(dirname(path), (names) => names.delete(path));
  }

  #mkdir(path: string): string | undefined {
    this.#call('mkdir', path);
    let first: string | undefined;
    const missing: string[] = [];
    for (let dir = join(path); !this.#isDirectory(dir); dir = dirname(dir)) {
      if (this.#names.has(dir)) throw fileError('EEXIST', dir);
      missing.unshift(dir);
    }
    for (const dir of missing) {
      first ??= dir;
      this.#change(dirname(dir), (names) => names.set(dir, 'directory'));
    }
    return first;
  }

  #fsyncDir(path: string): void {
    this.#call('fsyncDir', path);
    this.#changes = this.#changes.filter((change) => {
      if (change.dir !== join(path)) return true;
      change.apply(this.#durableNames);
      return false;
    });
  }

  #change(dir: string, apply: (names: Names) => void): void {
    apply(this.#names);
    this.#changes.push({ dir, apply });
  }

  /** Counts a call; throws when it is to fail, and tells when it is to be short. */
  #call(name: string, path: string): Fault | undefined {
    const call = ++this.#calls;
    this.log.push(`${name} ${basename(path)}`);
    if (this.#dead) throw fileError('EIO', `${name} ${path}: the power is gone`);
    const kind = this.#fault?.(call, name, path);
    if (kind === 'EIO' || kind === 'ENOSPC') throw fileError(kind, `${name} ${path}`);
    return kind;
  }

  #freeBytes(): number {
    let free = this.capacityBytes;
    for (const node of new Set(this.#names.values())) free -= node instanceof Inode ? node.size : 0;
    return free;
  }

  #isDirectory(path: string): boolean {
    return dirname(join(path)) === '/' || this.#names.get(join(path)) === 'directory';
  }

  #inode(path: string): Inode {
    const node = this.#names.get(path);
    if (!(node instanceof Inode)) throw fileError('ENOENT', path);
    return node;
  }
}

/** A real call never answers in the same turn. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

function isReachable(names: Names, path: string): boolean {
  const dir = dirname(path);
  if (dirname(dir) === '/') return true;
  return names.get(dir) === 'directory' && isReachable(names, dir);
}

function halfOf(bytes: Uint8Array): Uint8Array {
  return bytes.subarray(0, Math.ceil(bytes.length / 2));
}

function fileError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code });
}
