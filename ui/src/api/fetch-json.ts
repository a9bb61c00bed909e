// SPDX-License-Identifier: Apache-2.0
import { ApiError } from './api-error.ts';
import { decodeWarnings, isRecord } from './jaeger-json.ts';

/** Longest part of an error message from the server that is shown, in characters. */
const MAX_MESSAGE_LENGTH = 500;

/** One of the server's JSON answers. */
export interface Answer {
  readonly data: unknown;
  /** Token of the next page; undefined on the last one and where there are no pages. */
  readonly nextPage: string | undefined;
  /** What the server says beside the answer, such as that it may be incomplete. */
  readonly warnings: readonly string[];
}

/**
 * The `data` of one of the server's JSON answers.
 * @throws {ApiError} when the server is away, refuses, or answers something else than JSON.
 */
export async function fetchData(path: string, signal: AbortSignal): Promise<unknown> {
  return (await fetchPage(path, signal)).data;
}

/**
 * One of the server's JSON answers that may be a page of several.
 * @throws {ApiError} as {@link fetchData}
 */
export async function fetchPage(path: string, signal: AbortSignal): Promise<Answer> {
  let response: Response;
  let body: string;
  try {
    response = await fetch(path, { signal, headers: { accept: 'application/json' } });
    body = await response.text();
  } catch (error) {
    signal.throwIfAborted();
    throw new ApiError(
      'The server does not answer',
      `No answer to ${shortPath(path)}. Is Spoor running, and can this browser reach it?`,
      0,
      error,
    );
  }
  return readEnvelope(body, response, path);
}

/** Reads the envelope `{data, errors, nextPage, warnings}` around every answer. */
function readEnvelope(body: string, response: Response, path: string): Answer {
  const { status } = response;
  let envelope: unknown;
  try {
    envelope = JSON.parse(body);
  } catch (error) {
    const type = response.headers.get('content-type')?.split(';')[0] ?? 'no content type';
    throw new ApiError(
      response.ok ? 'The answer is not JSON' : `The server failed with status ${status}`,
      `${shortPath(path)} answered ${type}: “${cut(body.trim())}”`,
      status,
      error,
    );
  }
  const fault = isRecord(envelope) ? firstError(envelope['errors']) : undefined;
  if (!response.ok) {
    throw new ApiError(
      status < 500 ? 'The server refused the request' : `The server failed with status ${status}`,
      fault ?? `${shortPath(path)} answered status ${status} without saying why.`,
      status,
    );
  }
  const data = isRecord(envelope) ? envelope['data'] : undefined;
  if (data === undefined || (data === null && fault !== undefined)) {
    throw new ApiError(
      'The answer is of an unknown form',
      fault ?? `${shortPath(path)} answered JSON without “data”.`,
      status,
    );
  }
  const next = isRecord(envelope) ? envelope['nextPage'] : undefined;
  return {
    data,
    nextPage: typeof next === 'string' && next !== '' ? next : undefined,
    warnings: isRecord(envelope) ? decodeWarnings(envelope['warnings']) : [],
  };
}

function firstError(errors: unknown): string | undefined {
  if (!Array.isArray(errors)) return undefined;
  const messages = errors.flatMap((error: unknown) =>
    isRecord(error) && typeof error['msg'] === 'string' ? [error['msg']] : [],
  );
  return messages.length === 0 ? undefined : cut(messages.join('; '));
}

function shortPath(path: string): string {
  return path.split('?')[0]!;
}

function cut(text: string): string {
  return text.length > MAX_MESSAGE_LENGTH ? `${text.slice(0, MAX_MESSAGE_LENGTH)}…` : text;
}
