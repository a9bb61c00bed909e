// SPDX-License-Identifier: Apache-2.0
import { existsSync } from 'node:fs';
import { join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { SendResult } from '@fastify/send';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from '#net/logger.ts';

/** Where the page is built to in the repository. */
export const BUILT_UI = fileURLToPath(new URL('../../../../ui/dist', import.meta.url));

const MISSING = `Spoor is running, but its web page has not been built.

Run "npm start" in the repository, which builds it, or "npm run build -w ui", and restart.
The API works all the same: /api/services, /api/traces
`;

/** Answers a GET or HEAD that no route took and that is not for the API. */
type AnswerPage = (
  request: FastifyRequest,
  reply: FastifyReply,
) => FastifyReply | Promise<FastifyReply>;

/**
 * Serves the built page: files by their path, and index.html for every other path, since the page
 * does its own routing. Files under /assets/ have a hash in their name and are kept for ever.
 * @param directory of the built page
 */
export function staticUi(directory: string, logger: Pick<Logger, 'warn'>): AnswerPage {
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
  return async (request, reply) => {
    const [path = '/'] = request.url.split('?');
    let found = await read(request, directory, path);
    if (isMissing(found)) {
      // A missing script must not become a page that fails to parse as one.
      if (/^\/assets(?:\/|$)/.test(path)) {
        return reply.code(404).type('text/plain; charset=utf-8').send('There is no such file.\n');
      }
      found = await read(request, directory, '/index.html');
    }
    const isAsset = found.type === 'file' && found.metadata.path.startsWith(assets);
    return reply
      .code(found.statusCode)
      .headers(found.headers)
      .header('cache-control', isAsset ? 'public, max-age=31536000, immutable' : 'no-cache')
      .send(found.stream);
  };
}

/** @param path as it stands in a URL; what is outside of the directory or hidden is refused by the library */
async function read(request: FastifyRequest, root: string, path: string): Promise<SendResult> {
  // It is a twentieth of what a start would load.
  const { send } = await import('@fastify/send');
  return await send(request.raw, path, { root, dotfiles: 'ignore', cacheControl: false });
}

/** Whether there is no such file; a condition or a range that does not hold is of one that is there. */
function isMissing({ type, statusCode }: SendResult): boolean {
  return type !== 'file' && statusCode !== 412 && statusCode !== 416;
}
