// SPDX-License-Identifier: Apache-2.0
import { BearerTokens, type BearerTokensSettings } from '#net/bearer-tokens.ts';

/** A token that is let in. */
export const TOKEN = 'test-token-0123456789';

/** Tokens that have been read, {@link TOKEN} unless told otherwise. */
export async function startTokens(
  settings: Partial<BearerTokensSettings> = { tokens: [TOKEN] },
  log: string[] = [],
): Promise<BearerTokens> {
  const write = (details: object, message: string): void => {
    log.push('problem' in details ? `${message}: ${String(details.problem)}` : message);
  };
  const tokens = new BearerTokens(
    'auth.test',
    {
      tokens: [],
      tokensFile: '',
      reloadIntervalMs: 0,
      acceptBasic: false,
      knownTenants: [],
      ...settings,
    },
    { info: write, warn: write, error: write },
  );
  await tokens.start();
  return tokens;
}
