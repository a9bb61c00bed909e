// SPDX-License-Identifier: Apache-2.0
import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';
import { BlockReader } from '../server/src/storage/columnar/block/block-reader.ts';
import { ByteCache } from '../server/src/storage/columnar/block/frame-cache.ts';
import { formatMegabytes, formatNumber, type Table } from './report.ts';

/** Contents of blocks that are listed one by one; the rest is summed up. */
const MAX_CONTENTS = 24;

/** What a data directory takes, by kind of file, and its blocks by what they hold. */
export function diskTable(directory: string, spans: number, quiet: boolean): Table {
  const kinds = new Map<string, { bytes: number; files: number }>();
  const contents = new Map<string, number>();
  for (const entry of readdirSync(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const kind = extname(entry.name) || entry.name;
    const { bytes, files } = kinds.get(kind) ?? { bytes: 0, files: 0 };
    const { blocks } = statSync(path);
    kinds.set(kind, { bytes: bytes + blocks * 512, files: files + 1 });
    if (kind !== '.block') continue;
    for (const [what, size] of Object.entries(contentsOf(path))) {
      contents.set(what, (contents.get(what) ?? 0) + size);
    }
  }
  const row = (name: string, bytes: number, files = ''): string[] => [
    name,
    formatMegabytes(bytes),
    formatNumber(bytes / spans),
    files,
  ];
  const total = [...kinds.values()].reduce((sum, { bytes }) => sum + bytes, 0);
  const largest = [...contents].toSorted(([, a], [, b]) => b - a);
  const rest = largest.slice(MAX_CONTENTS).reduce((sum, [, bytes]) => sum + bytes, 0);
  return {
    title: 'Disk: what the files take, and what the blocks hold',
    columns: ['kind', 'size', 'B/span', 'files'],
    rows: [
      ...[...kinds]
        .toSorted(([, a], [, b]) => b.bytes - a.bytes)
        .map(([kind, { bytes, files }]) => row(kind, bytes, String(files))),
      row('all files', total),
      ...largest.slice(0, MAX_CONTENTS).map(([what, bytes]) => row(`block: ${what}`, bytes)),
      ...(rest === 0 ? [] : [row('block: all else', rest)]),
    ],
    notes: quiet
      ? []
      : ['The store was not quiet when the waiting ended: a part of the spans is in the log only.'],
  };
}

function contentsOf(path: string): Readonly<Record<string, number>> {
  const reader = new BlockReader(path, 0, new ByteCache(1 << 20));
  try {
    return reader.footer.bytesBy;
  } finally {
    reader.close();
  }
}
