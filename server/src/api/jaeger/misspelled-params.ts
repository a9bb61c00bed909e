// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { misspeltName } from '#config/suggest.ts';

/** Shorter names are like too many others. */
const MIN_NAME_LENGTH = 4;

/** What the two APIs call the same. Of several names for one, the first that a route takes is told. */
const V1_AND_V3_NAMES: readonly (readonly [v1: string, v3: string])[] = [
  ['service', 'serviceName'],
  ['operation', 'operationName'],
  ['tags', 'attributes'],
  ['tag', 'attributes'],
  ['start', 'startTimeMin'],
  ['end', 'startTimeMax'],
  ['minDuration', 'durationMin'],
  ['maxDuration', 'durationMax'],
  ['limit', 'searchDepth'],
  ['limit', 'numTraces'],
  ['raw', 'rawTraces'],
];

/** The parameters that a route takes, `prettyPrint` aside, which all take. */
export interface RouteParams {
  readonly names: readonly string[];
  /** What clients send and what means nothing here. */
  readonly ignored?: readonly string[];
}

/**
 * Refuses a parameter that a route does not take and whose name looks like one that it does, or is what the other API calls one
 * of them: without it, too much would be found, or something else. Other unknown names are let pass, since Jaeger's clients send
 * some. Each route that takes parameters calls this first.
 * @param namesOf what the API calls a parameter, as for `ParamReader`
 * @throws {SpoorError} invalid_argument
 */
export function refuseMisspelled(
  params: URLSearchParams,
  { names, ignored = [] }: RouteParams,
  namesOf: (name: string) => readonly string[] = (name) => [name],
): void {
  const known = new Set(['prettyPrint', ...[...names, ...ignored].flatMap(namesOf)]);
  const candidates = names.filter(({ length }) => length >= MIN_NAME_LENGTH);
  for (const name of params.keys()) {
    if (known.has(name)) continue;
    const plain = name.replace(/^query\./, '');
    const meant = otherName(plain, names) ?? misspeltName(plain, candidates);
    if (meant === undefined) continue;
    throw new SpoorError(
      'invalid_argument',
      `unknown parameter ${quote(name)}; did you mean ${namesOf(meant)[0]!}?`,
    );
  }
}

/** The parameter of a route that the other API calls so, or that is written so there. */
function otherName(name: string, names: readonly string[]): string | undefined {
  const camel = name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  if (names.includes(camel)) return camel;
  for (const [v1, v3] of V1_AND_V3_NAMES) {
    if (camel === v3 && names.includes(v1)) return v1;
    if (camel === v1 && names.includes(v3)) return v3;
  }
  return undefined;
}
