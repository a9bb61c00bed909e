// SPDX-License-Identifier: Apache-2.0
import type { QueryClient } from './query-client.ts';
import { resultsIn, type Question } from './query-questions.ts';
import { formatNumber, quantile } from './report.ts';

/** Not counted where code is to be warm: it is compiled meanwhile. */
const WARM_UP = 100;
/** Either ends after this time: of questions that take long there are some tens of answers then. */
const ENOUGH_MS = 10_000;

/** One kind of question: what each answer took, in ms and in their order, and how large the largest was. */
export interface Asked {
  readonly name: string;
  readonly cold: readonly number[];
  readonly warm: readonly number[];
  readonly answer: string;
}

/** Asks one question. @returns the ms it took, and the size of the answer */
type AskOnce = () => Promise<{ readonly ms: number; readonly size: number }>;

/**
 * Asks often: until the code is warm, then so many times.
 * @param size of an answer, in words
 */
export async function askOften(
  name: string,
  askOnce: AskOnce,
  { warm, size }: { readonly warm: number; readonly size: (largest: number) => string },
): Promise<Asked> {
  let largest = 0;
  const repeat = async (count: number): Promise<number[]> => {
    const times: number[] = [];
    const endMs = performance.now() + ENOUGH_MS;
    while (times.length < count && performance.now() < endMs) {
      const { ms, size } = await askOnce();
      times.push(ms);
      largest = Math.max(largest, size);
    }
    return times;
  };
  return {
    name,
    cold: await repeat(WARM_UP),
    warm: await repeat(warm),
    answer: size(largest),
  };
}

/** Asks a server, as {@link askOften}. @throws {Error} when an answer is wrong */
export async function askOverHttp(
  client: QueryClient,
  { name, path: nextPath, results }: Question,
  warm: number,
): Promise<Asked> {
  const askOnce: AskOnce = async () => {
    const path = nextPath();
    const { status, body, ms } = await client.get(path);
    if (status !== 200)
      throw new Error(`${path} was answered with ${status}: ${body.slice(0, 200)}`);
    const found = resultsIn(body);
    // A fast wrong answer is no result.
    if (found < results) throw new Error(`${path} has ${found} results, not ${results}`);
    return { ms, size: body.length };
  };
  const size = (bytes: number): string => `${formatNumber(bytes / 1000)} kB`;
  return await askOften(name, askOnce, { warm, size });
}

/** Of which answers a table tells what, beside the first of them. */
export const ASKED_COLUMNS = ['question', 'first', 'p50', 'p95', 'asked', 'answer'];

/** A row of {@link ASKED_COLUMNS}. */
export function askedRow({ name, cold, warm, answer }: Asked): string[] {
  const figures = [cold[0]!, quantile(warm, 0.5), quantile(warm, 0.95)].map(formatNumber);
  return [name, ...figures, String(warm.length), answer];
}

/** The same in a line. */
export function describeAsked({ name, warm }: Asked): string {
  const [p50, p95] = [0.5, 0.95].map((q) => formatNumber(quantile(warm, q)));
  return `${name}: p50 ${p50} ms, p95 ${p95} ms`;
}
