// SPDX-License-Identifier: Apache-2.0
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Tenant } from '@spoor/core/model/ids.ts';
import { JsonStyle } from './json-style.ts';
import { joinPieces } from './json-stream.ts';
import { incompleteWarnings } from './incomplete-answers.ts';
import { queryParams, tenantOf, type QueryContext } from './query-context.ts';
import { RequestDeadline } from './request-deadline.ts';

const JSON_TYPE = 'application/json; charset=utf-8';

/** Answers with an object that is small, and says in its `warnings` what it leaves out. */
export async function answerJson(
  request: FastifyRequest,
  reply: FastifyReply,
  context: QueryContext,
  read: (signal: AbortSignal) => Promise<object>,
): Promise<FastifyReply> {
  const deadline = new RequestDeadline(reply.raw, context.timeoutMs);
  let value: object;
  try {
    value = await read(deadline.signal);
  } catch (error) {
    throw deadline.explain(error);
  }
  const warnings = incompleteWarnings(context, tenantOf(request));
  if (warnings.length > 0) value = { ...value, warnings };
  return reply.type(JSON_TYPE).send(JsonStyle.of(queryParams(request)).value(value));
}

/** An object with a list in it that may be long. */
export interface ListAnswer<Entry> {
  /** What the list is called. */
  readonly name: string;
  readonly read: (tenant: Tenant, signal: AbortSignal) => Promise<Iterable<Entry>>;
  /** What is written of an entry, in their order; undefined leaves it out. */
  readonly entry: (entry: Entry) => unknown;
  /** What follows the list, which has so many entries. */
  readonly rest?: (count: number) => object;
}

/** Answers with a list entry by entry, as {@link streamJson}, and says in `warnings` what it leaves out. */
export async function answerList<Entry>(
  request: FastifyRequest,
  reply: FastifyReply,
  context: QueryContext,
  answer: ListAnswer<Entry>,
): Promise<FastifyReply> {
  const tenant = tenantOf(request);
  return streamJson(request, reply, context, async function* (style, signal) {
    const entries = await answer.read(tenant, signal);
    yield listJson(answer, entries, style, incompleteWarnings(context, tenant));
  });
}

function* listJson<Entry>(
  { name, entry, rest }: ListAnswer<Entry>,
  entries: Iterable<Entry>,
  style: JsonStyle,
  warnings: readonly string[],
): Generator<string, void, undefined> {
  yield `{${style.line(1)}${style.name(name)}[`;
  let count = 0;
  for (const one of entries) {
    const value = entry(one);
    // Others get their turn also while nothing is written.
    yield value === undefined ? '' : style.next(count++ === 0, 2) + style.value(value, 2);
  }
  yield `${count === 0 ? '' : style.line(1)}]`;
  const more = { ...rest?.(count), ...(warnings.length > 0 ? { warnings } : {}) };
  for (const [key, value] of Object.entries(more)) {
    yield `,${style.line(1)}${style.name(key)}${style.value(value, 1)}`;
  }
  yield `${style.line(0)}}`;
}

/**
 * Answers with JSON that is made piece by piece, as fast as the client takes it.
 *
 * An error before the first 128 KiB becomes an answer of its own; a later one breaks the
 * connection off, which is the only way to say that the answer is not whole.
 */
export async function streamJson(
  request: FastifyRequest,
  reply: FastifyReply,
  context: QueryContext,
  parts: (
    style: JsonStyle,
    signal: AbortSignal,
  ) => AsyncIterable<Iterable<string>> | Promise<AsyncIterable<Iterable<string>>>,
): Promise<FastifyReply> {
  const deadline = new RequestDeadline(reply.raw, context.timeoutMs);
  const style = JsonStyle.of(queryParams(request));
  const { signal } = deadline;
  let chunks: AsyncGenerator<Buffer, void>;
  let first: IteratorResult<Buffer, void>;
  let second: IteratorResult<Buffer, void>;
  try {
    const made = await parts(style, signal);
    chunks = joinPieces(made, signal, context.turns, () => deadline.progress());
    first = await chunks.next();
    second = first.done ? first : await chunks.next();
  } catch (error) {
    throw deadline.explain(error);
  }
  void reply.type(JSON_TYPE);
  if (first.done) return reply.send('');
  if (second.done) return reply.send(first.value);
  return reply.send(Readable.from(resume([first.value, second.value], chunks, context, deadline)));
}

async function* resume(
  begun: readonly Buffer[],
  rest: AsyncGenerator<Buffer, void>,
  context: QueryContext,
  deadline: RequestDeadline,
): AsyncGenerator<Buffer, void> {
  try {
    yield* begun;
    yield* rest;
  } catch (error) {
    if (!deadline.signal.aborted) {
      context.logger.error({ err: error }, 'query failed after its answer had begun');
    }
    throw deadline.explain(error);
  } finally {
    // Also when the client left while the first chunks were waiting.
    await rest.return();
  }
}
