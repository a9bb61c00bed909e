// SPDX-License-Identifier: Apache-2.0
import { TENANT_NAME } from '@spoor/core/model/ids.ts';

/** As RFC 6750 writes tokens; shorter ones can be guessed. */
const TOKEN = /^[A-Za-z0-9._~+/-]{16,512}={0,2}$/;

/** What is said of a text that is no token; not the text, which may be one of another place. */
export const NO_TOKEN =
  'is not a token, 16 or more of the characters A-Z a-z 0-9 - . _ ~ + /, perhaps with a space and the names of its tenants after it';

/** Reads a token and the tenants that it is for, none: all. Undefined when the text is something else. */
export function parseTokenLine(text: string): { token: string; tenants: Set<string> } | undefined {
  const [token = '', names, more] = text.trim().split(/[ \t]+/);
  const tenants = new Set(names?.split(','));
  const isGood =
    TOKEN.test(token) && more === undefined && [...tenants].every((name) => TENANT_NAME.test(name));
  return isGood ? { token, tenants } : undefined;
}
