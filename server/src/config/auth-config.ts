// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { NO_TOKEN, parseTokenLine } from '#net/token-line.ts';
import { durationSchema } from './duration.ts';
import { SECRET } from './secret.ts';

function tokensSchema(what: string) {
  return z
    .strictObject({
      tokens: z
        .array(z.string().refine((text) => parseTokenLine(text) !== undefined, { error: NO_TOKEN }))
        .default([])
        .meta(SECRET)
        .describe(
          'Tokens that let a request in: 16 or more of A-Z a-z 0-9 - . _ ~ + /, and after a space the tenants that it is for, such as TOKEN acme,globex; none named: all.',
        ),
      tokens_file: z
        .string()
        .default('')
        .describe(
          'Path of a file with a token on each line, in the same form; # begins a comment.',
        ),
      reload_interval: durationSchema(
        '10s',
        'pause after which the file is looked at again; 0: never.',
      ),
    })
    .prefault({})
    .describe(`Tokens for ${what}; with none of both keys set no token is needed.`);
}

/** `auth` */
export const authSchema = z
  .strictObject({
    ingest: tokensSchema('sending spans over HTTP and gRPC'),
    query: tokensSchema('the query port, API and page'),
  })
  .prefault({})
  .describe(
    'Who may send and who may read: requests carry a token, `Authorization: Bearer TOKEN`.',
  );
