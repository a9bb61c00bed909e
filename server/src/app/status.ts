// SPDX-License-Identifier: Apache-2.0
import { formatEndpoint, formatHttpUrl } from '#config/endpoint.ts';
import type { Components } from './components.ts';
import type { Listener } from './part.ts';
import type { TraceStore } from '#storage/tracestore.ts';

/** Where the server is reached, by the listeners' names; one that is switched off is missing. */
export type Addresses = Readonly<Record<string, string>>;

/** The addresses of the listeners that listen now: URLs where a browser can open them. */
export function addressesOf(listeners: Iterable<Listener>): Addresses {
  const addresses: Record<string, string> = {};
  for (const { name, http, address, tls } of listeners) {
    if (address !== undefined) {
      addresses[name] = http
        ? formatHttpUrl(address, '', tls === undefined ? 'http' : 'https')
        : formatEndpoint(address);
    }
  }
  return addresses;
}

/** Body of `GET /status`. */
export function statusOf(components: Components, version: string): object {
  const { process: figures, readiness, store, graph } = components;
  const problem = readiness.problem;
  return {
    version,
    uptimeSeconds: figures.uptimeSeconds,
    ready: problem === undefined,
    ...(problem === undefined ? {} : { problem }),
    addresses: addressesOf(components.listeners()),
    memory: figures.memory(),
    receivers: graph.receivers.map((receiver) => {
      const { refusedRequests, ...rest } = receiver.metrics();
      const refused = [...refusedRequests].filter(([, count]) => count > 0);
      return { ...rest, refusedRequests: Object.fromEntries(refused) };
    }),
    ...(store === undefined ? {} : storeStatus(store)),
  };
}

function storeStatus(store: TraceStore): object {
  return {
    store: Object.fromEntries([...store.figures()].map(([name, { value }]) => [name, value])),
    ...(store.damage.length === 0 ? {} : { damage: store.damage }),
  };
}
