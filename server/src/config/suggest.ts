// SPDX-License-Identifier: Apache-2.0

/** Longest name that is compared; longer ones are no slip of the finger. */
const MAX_NAME_LENGTH = 100;

/** Two letters in their order are in too many names. */
const MIN_SHORT_LENGTH = 3;

/**
 * Edits (insert, delete, replace, swap of neighbours) that turn `a` into `b`.
 * @see https://en.wikipedia.org/wiki/Damerau%E2%80%93Levenshtein_distance
 */
export function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + cost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        best = Math.min(best, beforeLast[j - 2]! + 1);
      }
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The candidate that `name` was probably meant to be, misspelt or the only one that it shortens; undefined when there is none. */
export function nearestName(name: string, candidates: Iterable<string>): string | undefined {
  const all = [...candidates];
  const misspelt = misspeltName(name, all);
  if (misspelt !== undefined || name.length > MAX_NAME_LENGTH) return misspelt;
  const shortened = all.filter((candidate) => isShortFor(plainName(name), plainName(candidate)));
  return shortened.length === 1 ? shortened[0] : undefined;
}

/** The candidate that `name` is with some letters wrong; undefined when there is none. */
export function misspeltName(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_NAME_LENGTH) return undefined;
  const plain = plainName(name);
  // A third of the letters wrong is still the same word; more is another one.
  let bestDistance = Math.max(1, Math.floor(plain.length / 3)) + 1;
  let best: string | undefined;
  for (const candidate of candidates) {
    const distance = editDistance(plain, plainName(candidate));
    if (distance < bestDistance) {
      bestDistance = distance;
      best = candidate;
    }
  }
  return best;
}

function plainName(name: string): string {
  return name.toLowerCase().replaceAll('-', '_');
}

/** Whether letters of `long` were left out to make `short`, not the first of them. */
function isShortFor(short: string, long: string): boolean {
  if (short.length < MIN_SHORT_LENGTH || short[0] !== long[0]) return false;
  let found = 0;
  for (const letter of long) if (letter === short[found]) found++;
  return found === short.length;
}

/**
 * The shortest dotted path that has all parts of `parts` in their order, so that
 * `otlp.grpc.endpoint` finds `receivers.otlp.protocols.grpc.endpoint`; undefined when there is none.
 */
export function pathContaining(
  parts: readonly string[],
  paths: Iterable<string>,
): string | undefined {
  let best: string | undefined;
  for (const path of paths) {
    let found = 0;
    for (const part of path.split('.')) if (part === parts[found]) found++;
    if (found === parts.length && (best === undefined || path.length < best.length)) best = path;
  }
  return best;
}
