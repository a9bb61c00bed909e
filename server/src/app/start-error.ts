// SPDX-License-Identifier: Apache-2.0
import { messageOf, SpoorError } from '@spoor/core/model/errors.ts';
import type { Endpoint } from '#config/endpoint.ts';

/** Why a part could not be started; the message begins with the path of the key to look at. */
export class StartError extends Error {
  override readonly name = 'StartError';
}

/**
 * Says in words why an address could not be listened on.
 * @param path of the endpoint's key in the configuration
 */
export function listenError(path: string, endpoint: Endpoint, cause: unknown): StartError {
  return new StartError(`${path}: ${describe(endpoint, cause)}`, { cause });
}

function describe({ host, port }: Endpoint, cause: unknown): string {
  const message = messageOf(cause);
  // The gRPC library hides the code of the system in its message.
  switch (/\bE[A-Z_]{4,}\b/.exec(`${codeOf(cause)} ${message} ${codeOf(innerCause(cause))}`)?.[0]) {
    case 'EADDRINUSE':
      return `port ${port} is in use by another process`;
    case 'EACCES':
      return `no permission to listen on port ${port}`;
    case 'EADDRNOTAVAIL':
      return `this machine has no address ${host}`;
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the host name ${host} is not known`;
    default:
      return `cannot listen on ${host}, port ${port}: ${message}`;
  }
}

function codeOf(error: unknown): string {
  return typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : '';
}

function innerCause(error: unknown): unknown {
  return error instanceof Error ? error.cause : undefined;
}

/**
 * Says why a part on a port could not be started.
 * @param path of its section in the configuration
 */
export function listenerError(path: string, endpoint: Endpoint, cause: unknown): StartError {
  return keyError(path, cause) ?? listenError(`${path}.endpoint`, endpoint, cause);
}

/** What is wrong with one key of a section is told with its path already. */
function keyError(path: string, cause: unknown): StartError | undefined {
  return cause instanceof SpoorError && cause.message.startsWith(`${path}.`)
    ? new StartError(cause.message, { cause })
    : undefined;
}

/** Says why a component could not be started. */
export function componentError(path: string, cause: unknown): StartError {
  return keyError(path, cause) ?? new StartError(`${path}: ${messageOf(cause)}`, { cause });
}

/** Says why the store could not be opened. */
export function storeError(cause: unknown): StartError {
  return componentError('storage', cause);
}

/** Says why the sampling strategies could not be read. */
export function samplingError(cause: unknown): StartError {
  return keyError('sampling', cause) ?? componentError('sampling.strategies_file', cause);
}
