// SPDX-License-Identifier: Apache-2.0
import type { IncomingMessage } from 'node:http';
import { quote } from '@spoor/core/model/errors.ts';

/** Why a request is refused by its head. */
export interface HeadProblem {
  /** Of the answer over HTTP. */
  readonly status: number;
  readonly message: string;
}

const NO_HOST: HeadProblem = {
  status: 400,
  message: 'a request in HTTP/1.1 must have a Host header',
};

/**
 * What Node would refuse with nothing in its answer: HTTP/1.1 without Host, unless its server is told not to, and an expectation
 * that is not known, unless something listens to `checkExpectation`. Undefined for usual requests.
 */
export function headProblem({ headers, httpVersion }: IncomingMessage): HeadProblem | undefined {
  if (httpVersion !== '1.1') return undefined;
  if (headers.host === undefined) return NO_HOST;
  const { expect } = headers;
  // As Node looks for it.
  if (expect === undefined || /(?:^|\W)100-continue(?:$|\W)/i.test(expect)) return undefined;
  const message = `expectation ${quote(expect)} is not known, only 100-continue`;
  return { status: 417, message };
}
