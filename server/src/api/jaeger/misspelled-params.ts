// SPDX-License-Identifier: Apache-2.0
import { SpoorError, quote } from '@spoor/core/model/errors.ts';
import { misspeltName } from '#config/suggest.ts';

/** Shorter names are like too many others. */
const MIN_NAME_LENGTH = 4;

/** The parameters that a route takes, `prettyPrint` aside, which all take. */
export interface RouteParams {
  readonly names: readonly string[];
  /** What clients send and what means nothing here. */
  readonly ignored?: readonly string[];
}

/**
 * Refuses a parameter that a route does not take and whose name looks like one that it does: without it, too much would be
 * found, or something else. Other unknown names are let pass, since Jaeger's clients send some. Each route that takes
 * parameters calls this first.
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
    const meant = misspeltName(name.replace(/^query\./, ''), candidates);
    if (meant === undefined) continue;
    throw new SpoorError(
      'invalid_argument',
      `unknown parameter ${quote(name)}; did you mean ${namesOf(meant)[0]!}?`,
    );
  }
}
