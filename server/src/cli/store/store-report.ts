// SPDX-License-Identifier: Apache-2.0
import type { ChangeReport } from './store-changes.ts';
import type { StoreStats } from '#storage/columnar/inspection/store-stats.ts';
import type { VerifyReport } from '#storage/columnar/inspection/verify-store.ts';

/** What was verified, for a person to read. */
export function formatVerify(dir: string, report: VerifyReport): string {
  const { problems, harmless, strayFiles } = report;
  const lines = [
    `${dir}`,
    `  ${count(report.blocks, 'block')} with ${count(report.blockSpans, 'span')}, ${formatBytes(report.blockBytes)}`,
    `  write-ahead log with ${count(report.logRecords, 'record')}, ${formatBytes(report.logBytes)}; ${count(report.logSpans, 'span')} in no block yet`,
  ];
  for (const { what, meaning, isNewer } of problems) {
    lines.push('', `${isNewer === true ? 'NEWER' : 'DAMAGED'} ${what}`, `  ${meaning}`);
  }
  for (const { what, meaning } of harmless) lines.push('', `NOTE ${what}`, `  ${meaning}`);
  for (const path of report.returning) {
    lines.push(
      '',
      `LEFT OUT so far ${path}`,
      '  It can be read again: the next start takes it back.',
    );
  }
  if (strayFiles.length > 0) {
    lines.push('', 'Files that are no part of the store:');
    for (const { path, sizeBytes } of strayFiles)
      lines.push(`  ${path} (${formatBytes(sizeBytes)})`);
    lines.push(
      '  A crash leaves .tmp files and blocks that never counted, which the next start removes; blocks in .waiting',
      '  count again with the next start that has room; what a start sets aside ends in .damaged or .unnamed, and',
      '  stays until you delete it.',
    );
  }
  lines.push(
    '',
    problems.length === 0
      ? `Every ${harmless.length === 0 ? '' : 'other '}checksum is right.`
      : `${count(problems.length, 'problem')} found. Nothing was changed.`,
  );
  return `${lines.join('\n')}\n`;
}

/** What a store consists of, as tables. */
export function formatStats(dir: string, stats: StoreStats): string {
  const tenants = table(
    [
      'tenant',
      'blocks',
      'spans',
      'bytes',
      'B/span',
      'by level',
      'in the log',
      'earliest',
      'latest',
    ],
    stats.tenants.map((tenant) => [
      tenant.tenant,
      formatNumber(tenant.blocks),
      formatNumber(tenant.spans),
      formatBytes(tenant.sizeBytes),
      tenant.spans === 0 ? '-' : (tenant.sizeBytes / tenant.spans).toFixed(1),
      tenant.levels.map(({ level, blocks }) => `${level}: ${blocks}`).join(', '),
      formatNumber(tenant.logSpans),
      formatTime(tenant.minStartUnixNano),
      formatTime(tenant.maxStartUnixNano),
    ]),
  );
  const all = stats.columns.reduce((total, { sizeBytes }) => total + sizeBytes, 0);
  const columns = table(
    ['in blocks', 'bytes', 'share'],
    stats.columns.map(({ name, sizeBytes }) => [
      name,
      formatBytes(sizeBytes),
      `${((100 * sizeBytes) / all).toFixed(1)} %`,
    ]),
  );
  const lines = [
    dir,
    '',
    stats.tenants.length === 0 ? 'The store is empty.' : tenants,
    ...(stats.columns.length === 0 ? [] : ['', columns]),
    '',
    `write-ahead log: ${count(stats.log.segments, 'segment')}, ${formatBytes(stats.log.sizeBytes)}`,
    ...stats.unreadable.map((message) => `not counted by column: ${message}`),
  ];
  return `${lines.join('\n')}\n`;
}

/** What was changed, for a person to read. */
export function formatChange(
  dir: string,
  { before, after, damagedBlocks, deletedSpans }: ChangeReport,
): string {
  const lines = [
    dir,
    `  before: ${count(before.blocks, 'block')} with ${count(before.spans, 'span')}, ${formatBytes(before.sizeBytes)}`,
    `  after:  ${count(after.blocks, 'block')} with ${count(after.spans, 'span')}, ${formatBytes(after.sizeBytes)}`,
  ];
  if (damagedBlocks > 0) {
    lines.push(
      `  damaged and left as they are: ${count(damagedBlocks, 'block')}; see spoor store verify`,
    );
  }
  if (deletedSpans !== undefined) lines.push(`${count(deletedSpans, 'span')} deleted.`);
  return `${lines.join('\n')}\n`;
}

/** Any of the reports as JSON: 64-bit numbers are texts. */
export function formatJson(report: object): string {
  return `${JSON.stringify(report, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value), 2)}\n`;
}

/** Columns apart by two spaces; all but the first are numbers, to the right. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) => Math.max(...[head, ...rows].map((row) => row[i]!.length)));
  return [head, ...rows]
    .map((row) =>
      row
        .map((cell, i) => (i === 0 ? cell.padEnd(widths[i]!) : cell.padStart(widths[i]!)))
        .join('  '),
    )
    .join('\n');
}

function count(number: number, noun: string): string {
  return `${formatNumber(number)} ${noun}${number === 1 ? '' : 's'}`;
}

function formatNumber(value: number): string {
  return value.toLocaleString('en-US');
}

function formatBytes(bytes: number): string {
  if (bytes < 1024) return `${bytes} B`;
  const units = ['KiB', 'MiB', 'GiB', 'TiB'];
  let value = bytes;
  let unit = -1;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit++;
  }
  return `${value.toFixed(1)} ${units[unit]!}`;
}

function formatTime(unixNano: bigint | undefined): string {
  return unixNano === undefined ? '-' : new Date(Number(unixNano / 1_000_000n)).toISOString();
}
