// SPDX-License-Identifier: Apache-2.0

/**
 * The metrics of a process as their text.
 * @param healthUrl without a slash at the end
 */
export async function readMetrics(healthUrl: string): Promise<string> {
  return await (await fetch(`${healthUrl}/metrics`)).text();
}

/** Sum over all series of a metric whose labels contain a text; 0 when there is none. */
export function sumOf(metrics: string, name: string, labels = ''): number {
  let sum = 0;
  for (const line of metrics.split('\n')) {
    if (!line.startsWith(name) || !line.includes(labels)) continue;
    const next = line[name.length];
    if (next === '{' || next === ' ') sum += Number(line.slice(line.lastIndexOf(' ') + 1));
  }
  return sum;
}
