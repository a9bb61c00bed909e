// SPDX-License-Identifier: Apache-2.0
import { appendFileSync, existsSync, writeFileSync } from 'node:fs';

/** A table of a report. The first column holds names, the others figures. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
  /** Lines below the table. */
  readonly notes?: readonly string[];
}

/** A table as Markdown, padded so that it reads well as plain text. */
export function formatTable(table: Table): string {
  const lines = [table.columns, ...table.rows];
  const widths = table.columns.map((_, column) =>
    Math.max(3, ...lines.map((line) => (line[column] ?? '').length)),
  );
  const cell = (text: string, column: number): string =>
    column === 0 ? text.padEnd(widths[0]!) : text.padStart(widths[column]!);
  const row = (line: readonly string[]): string =>
    `| ${table.columns.map((_, column) => cell(line[column] ?? '', column)).join(' | ')} |`;
  const rule = `| ${widths.map((width, column) => (column === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`)).join(' | ')} |`;
  const notes = (table.notes ?? []).map((note) => `\n${note}\n`).join('');
  return `### ${table.title}\n\n${[row(table.columns), rule, ...table.rows.map(row)].join('\n')}\n${notes}`;
}

const INTRODUCTION = `# Results of \`npm run bench\`

Newest last. How to repeat them and what the columns mean: [README.md](README.md).
`;

/** Appends a run to the file of results, which is made when it is missing. */
export function appendResults(
  file: string,
  heading: string,
  facts: readonly string[],
  tables: readonly Table[],
): void {
  if (!existsSync(file)) writeFileSync(file, INTRODUCTION);
  const list = facts.map((fact) => `- ${fact}`).join('\n');
  appendFileSync(file, `\n## ${heading}\n\n${list}\n\n${tables.map(formatTable).join('\n')}`);
}

/** The middle of some numbers; of two middle ones the mean. @throws {Error} when there are none */
export function median(numbers: readonly number[]): number {
  if (numbers.length === 0) throw new Error('the median of nothing');
  const sorted = numbers.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** The number that this share of all does not exceed; NaN for none. */
export function quantile(numbers: readonly number[], ratio: number): number {
  const sorted = numbers.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(ratio * sorted.length) - 1)] ?? Number.NaN;
}

/** A number with as many decimals as make sense for its size; a dash for NaN. */
export function formatNumber(value: number): string {
  if (Number.isNaN(value)) return '-';
  if (Math.abs(value) >= 1000) return Math.round(value).toLocaleString('en-US');
  return value.toFixed(Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
}

/** MB, decimal. */
export function formatMegabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}
