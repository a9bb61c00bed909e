// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { CliSurroundings } from '#cli/cli.ts';
import { EXIT, UsageError } from '#cli/cli-error.ts';
import { loadConfig } from '#config/load-config.ts';
import { StoppedStore } from '#storage/columnar/inspection/stopped-store.ts';
import { storeStats } from '#storage/columnar/inspection/store-stats.ts';
import { verifyStore } from '#storage/columnar/inspection/verify-store.ts';
import { parseStoreOptions, STORE_HELP, type StoreOptions } from './store-options.ts';
import { changeStore } from './store-changes.ts';
import { formatChange, formatJson, formatStats, formatVerify } from './store-report.ts';

/**
 * Runs `spoor store`.
 * @param args the words after the command
 * @returns the exit code
 * @throws {UsageError} the command line is wrong
 */
export async function storeCommand(
  args: readonly string[],
  surroundings: CliSurroundings,
): Promise<number> {
  const options = parseStoreOptions(args);
  const { out, err } = surroundings;
  if (options.help) {
    out(STORE_HELP);
    return EXIT.ok;
  }
  const { action, deletion } = options;
  try {
    if (action === 'compact' || action === 'delete') {
      const directory = directoryOf(options, surroundings);
      const report = await changeStore(directory, deletion, (message) =>
        err(`spoor: ${message}\n`),
      );
      out(options.json ? formatJson(report) : formatChange(directory, report));
      // A deletion was done in full, whatever else is damaged.
      return action === 'compact' && report.damagedBlocks > 0 ? EXIT.failed : EXIT.ok;
    }
    await using store = await StoppedStore.open(directoryOf(options, surroundings));
    if (action === 'stats') {
      const stats = await storeStats(store);
      out(options.json ? formatJson(stats) : formatStats(store.dir, stats));
      return EXIT.ok;
    }
    const report = await verifyStore(store);
    out(options.json ? formatJson(report) : formatVerify(store.dir, report));
    return report.problems.length === 0 ? EXIT.ok : EXIT.failed;
  } catch (error) {
    if (options.json) out(formatJson({ error: messageOf(error) }));
    const isFileError = error instanceof Error && 'syscall' in error;
    const isTold = error instanceof SpoorError && !['internal', 'config'].includes(error.code);
    // What is wrong with the directory is said in full by the message.
    if (!isTold && !isFileError) throw error;
    err(`spoor: ${error.message}\n`);
    return isTold && error.code === 'invalid_argument' ? EXIT.usage : EXIT.failed;
  }
}

function directoryOf(options: StoreOptions, { env }: CliSurroundings): string {
  const { configFile, dataDirectory, sets } = options;
  const { storage } = loadConfig({ file: configFile, dataDirectory, sets, env });
  if (storage.type !== 'columnar') {
    throw new UsageError(`storage.type is ${storage.type}, which keeps nothing on disk`);
  }
  return storage.directory;
}
