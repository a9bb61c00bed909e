// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import fastifyStatic from '@fastify/static';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '#net/logger.ts';

/** Where the page is built to in the repository. */
export const BUILT_UI = fileURLToPath(new URL('../../../../ui/dist', import.meta.url));

const MISSING = `Spoor is running, but its web page has not been built.

Run "npm start" in the repository, which builds it, or "npm run build -w ui", and restart.
The API works all the same: /api/services, /api/traces
`;

/**
 * Serves the built page: files by their path, and index.html for every other path, since the page
 * does its own routing. Files under /assets/ have a hash in their name and are kept for ever.
 * @param directory of the built page
 * @returns answers a GET that no route took and that is not for the API
 */
export async function addStaticUi(
  app: FastifyInstance,
  directory: string,
  logger: Pick<Logger, 'warn'>,
): Promise<(request: FastifyRequest, reply: FastifyReply) => FastifyReply> {
  if (!existsSync(join(directory, 'index.html'))) {
    logger.warn({ directory }, 'the web page has not been built: `npm run build -w ui` does it');
    return (_request, reply) =>
      reply
        .code(503)
        .header('cache-control', 'no-store')
        .type('text/plain; charset=utf-8')
        .send(MISSING);
  }
  const assets = join(directory, 'assets') + sep;
  await app.register(fastifyStatic, {
    root: directory,
    // Paths outside of the directory and hidden files are refused by the library.
    dotfiles: 'ignore',
    cacheControl: false,
    setHeaders: (response, path) => {
      response.header(
        'cache-control',
        path.startsWith(assets) ? 'public, max-age=31536000, immutable' : 'no-cache',
      );
    },
  });
  return (request, reply) => {
    // A missing script must not become a page that fails to parse as one.
    if (/^\/assets(?:[/?]|$)/.test(request.url)) {
      return reply.code(404).type('text/plain; charset=utf-8').send('There is no such file.\n');
    }
    return reply.sendFile('index.html');
  };
}
