// SPDX-License-Identifier: Apache-2.0
import { readFileSync } from 'node:fs';
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import { SpanBatch } from '@spoor/core/model/span-batch.ts';
import { overlapsFlaw } from '../derived/overlaps-file.ts';
import type { BlockEntry } from '../manifest/manifest-edit.ts';
import { inspectBlock } from '../directory/block-inspection.ts';
import { DISK_FILES } from '../directory/disk-files.ts';
import type { WalReplay } from '../wal/wal-replay.ts';
import type { StoppedStore } from './stopped-store.ts';

const TORN_END =
  'Without a crash while spans were written it is damage: the last write of a store that was not stopped in good order cannot be told from one that was never finished.';

const EARLIER_LOSS =
  'All that could be read of the log was kept. A backup of the log from before, as a store of its own, may still have the rest. While the file is there, /status and spoor_store_damaged_files of a server tell it.';

const WRONG_MAGIC =
  'Its first bytes are wrong, which no question needs, and all others are right: nothing is lost, and the block is answered from. Something wrote to the file, or the disk fails: look at that, and restore the file from a backup while no server runs.';

/** Something that is not as it was written. */
interface StoreProblem {
  readonly path: string;
  /** What is wrong, with the numbers. */
  readonly what: string;
  /** What that means for the spans, and what can be done. */
  readonly meaning: string;
  /** A later version wrote it, and that is all. */
  readonly isNewer?: true;
}

/** What {@link verifyStore} found. */
export interface VerifyReport {
  readonly blocks: number;
  readonly blockSpans: number;
  readonly blockBytes: number;
  readonly logRecords: number;
  /** Spans in the log that are in no block. */
  readonly logSpans: number;
  readonly logBytes: number;
  readonly problems: readonly StoreProblem[];
  /** The same of what is no damage, as far as can be told: what a crash leaves, or a server makes anew. */
  readonly harmless: readonly StoreProblem[];
  /** Paths of blocks that were left out of all answers and can be read again: the next start takes them back. */
  readonly returning: readonly string[];
  /** Files that belong to no store; they do no harm. */
  readonly strayFiles: readonly { readonly path: string; readonly sizeBytes: number }[];
}

/**
 * Reads every byte of a store that counts, and compares it with the checksums that were written with it.
 * @param onBlock called before each block, with its place among all
 */
export async function verifyStore(
  store: StoppedStore,
  onBlock: (number: number, of: number) => void = () => {},
): Promise<VerifyReport> {
  const problems: StoreProblem[] = [];
  const harmless: StoreProblem[] = [];
  if (store.lockFlaw !== undefined) {
    problems.push({
      path: store.lockPath,
      what: store.lockFlaw,
      meaning: 'No spans are concerned, but a server refuses to start.',
    });
  }
  verifyManifest(store, problems);

  const log = await verifyLog(store, problems, harmless);

  for (const { path, message } of await store.losses()) {
    harmless.push({ path, what: message, meaning: EARLIER_LOSS });
  }

  const returning: string[] = [];
  let blockSpans = 0;
  let blockBytes = 0;
  for (const [i, block] of store.blocks.entries()) {
    onBlock(i + 1, store.blocks.length);
    const problem = await verifyBlock(store, block);
    blockSpans += block.spans;
    blockBytes += block.sizeBytes;
    if (problem !== undefined) {
      problems.push(problem);
    } else if (store.manifest.setAside.has(block.id)) {
      returning.push(store.pathOf(block));
    }
  }
  return {
    blocks: store.blocks.length,
    blockSpans,
    blockBytes,
    ...log,
    problems,
    harmless: [...harmless, ...store.overlapsFiles().flatMap(verifyOverlaps)],
    returning,
    strayFiles: await store.strayFiles(),
  };
}

/** What {@link verifyLog} read. */
type LogFigures = Pick<VerifyReport, 'logRecords' | 'logSpans' | 'logBytes'>;

async function verifyLog(
  store: StoppedStore,
  problems: StoreProblem[],
  harmless: StoreProblem[],
): Promise<LogFigures> {
  let logSpans = 0;
  let log: WalReplay;
  try {
    log = await store.readLog(
      ({ batch, sequence }, isUnsealed) => {
        if (batch === undefined) return;
        try {
          const { rows } = new SpanBatch(batch);
          if (isUnsealed) logSpans += rows;
        } catch (error) {
          problems.push({
            path: store.dir,
            what: `write-ahead log: record ${sequence} cannot be read: ${messageOf(error)}`,
            meaning: 'A start ends with this error. Please report it: its checksum is right.',
          });
        }
      },
      {
        onDamage: ({ path, message, lost }) => {
          problems.push({ path, what: message, meaning: lossOf(lost) });
        },
        onTornEnd: ({ path, message }) => harmless.push({ path, what: message, meaning: TORN_END }),
      },
    );
  } catch (error) {
    if (!(error instanceof SpoorError)) throw error;
    const path = store.walDir;
    problems.push(
      error.code === 'corrupt'
        ? newer(path, error)
        : {
            path,
            what: error.message,
            meaning:
              'A start ends with this error too. Nobody can say what the log holds until it can be read: look at the owner and the mode of the files, and at the disk.',
          },
    );
    return { logRecords: 0, logSpans, logBytes: 0 };
  }
  const segments = [...log.segments, ...log.unused];
  const present = new Set(segments.map(({ id }) => id));
  for (const id of store.manifest.segments) {
    if (present.has(id)) continue;
    problems.push({
      path: store.dir,
      what: `write-ahead log: segment ${id} is missing`,
      meaning: 'What it held of spans that are in no block is lost, unless a backup has it.',
    });
  }
  const logBytes = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return { logRecords: log.records, logSpans, logBytes };
}

function verifyManifest(store: StoppedStore, problems: StoreProblem[]): void {
  const { manifestPath: path } = store;
  const { damage, cutBytes } = store.manifest;
  for (const what of damage) {
    problems.push({
      path,
      what,
      meaning:
        'Blocks may be missing from it, or stand in it although they were removed. A start keeps it as MANIFEST.damaged and takes blocks back that it does not name, by their files; what was deleted from them last may be back then.',
    });
  }
  if (cutBytes > 0) {
    problems.push({
      path,
      what: `manifest ${path}: ${cutBytes} bytes at its end are no whole record`,
      meaning:
        'After a crash this is the commit that was under way: nothing acknowledged is lost, since its spans are still in the log, and a start cuts it off. Otherwise blocks may be missing from the end of it.',
    });
  }
}

/** What is wrong with a block, if anything is. */
async function verifyBlock(
  store: StoppedStore,
  block: BlockEntry,
): Promise<StoreProblem | undefined> {
  const path = store.pathOf(block);
  try {
    await inspectBlock(DISK_FILES, path, block.sizeBytes);
  } catch (error) {
    if (error instanceof SpoorError) return newer(path, error);
    throw error;
  }
  const problem = (what: string, meaning = blockLoss(block)): StoreProblem => {
    return { path, what, meaning };
  };
  try {
    return store.withBlock(block, (reader) => {
      const sizeBytes = reader.verify();
      if (sizeBytes !== block.sizeBytes) {
        return problem(
          `block ${path}: ${sizeBytes} bytes where the manifest says ${block.sizeBytes}`,
        );
      }
      const { rows } = reader.footer;
      if (rows !== block.spans) {
        return problem(`block ${path}: ${rows} spans where the manifest says ${block.spans}`);
      }
      return reader.hasMagic
        ? undefined
        : problem(`block ${path}: does not begin as a block does`, WRONG_MAGIC);
    });
  } catch (error) {
    if (error instanceof SpoorError) return problem(error.message);
    throw error;
  }
}

function newer(path: string, { message }: SpoorError): StoreProblem {
  return {
    path,
    what: message,
    meaning:
      'A newer Spoor wrote it: run that one. This one does not start here, and cannot say whether it is whole.',
    isNewer: true,
  };
}

/** What is wrong with a file of overlaps, if anything is: it is written in place and not synced, so a crash may tear it. */
function verifyOverlaps(path: string): StoreProblem[] {
  const problem = (what: string, meaning: string): StoreProblem[] => [
    { path, what: `overlaps ${path}: ${what}`, meaning },
  ];
  try {
    const flaw = overlapsFlaw(readFileSync(path));
    if (flaw === undefined) return [];
    return problem(
      flaw,
      'Nothing is lost, and nothing is to be done: a crash may leave it torn, and a server makes it anew of the blocks while it is quiet.',
    );
  } catch (error) {
    return problem(
      messageOf(error),
      'Nothing is lost: it only saves a server time after a start, which counts the blocks anew without it. It may be removed; after an error of the disk, look at that.',
    );
  }
}

function blockLoss({ tenant, spans, traces }: BlockEntry): string {
  return `From when a server comes upon the damage the block is left out of all answers: ${spans} spans of ${traces} traces of tenant ${tenant}. All other blocks are answered from. Restore the file from a backup while no server runs; it never changes once it is written, and the next start takes it back.`;
}

function lossOf(lost: readonly [from: number, to: number] | undefined): string {
  const count = lost === undefined ? 0 : lost[1] - lost[0] + 1;
  const batches = count === 1 ? 'one batch' : `${count} batches`;
  return lost === undefined
    ? 'Records that can be read are kept; what else was here is lost.'
    : `Acknowledged spans of ${batches} are lost, unless a backup of the log has them. A start keeps the rest, and the damaged file under another name.`;
}
