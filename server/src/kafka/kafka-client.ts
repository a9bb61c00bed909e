// SPDX-License-Identifier: Apache-2.0
import { isIP } from 'node:net';
import type { BaseOptions } from '@platformatic/kafka';
import type { Logger } from '#net/logger.ts';
import { ClientTls, type ClientTlsSettings } from '#net/tls/client-tls.ts';

/** How a client logs in: a user and a password. */
interface SaslSettings {
  readonly mechanism: 'PLAIN' | 'SCRAM-SHA-256' | 'SCRAM-SHA-512';
  readonly username: string;
  readonly password: string;
}

/** Where a cluster is, and how it is spoken to. */
export interface KafkaClientSettings {
  /** host:port of some brokers; the others are learned from them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** Undefined: nobody logs in. */
  readonly sasl: SaslSettings | undefined;
  /** Undefined: plain text. */
  readonly tls: ClientTlsSettings | undefined;
  /** A connection has to be made, and a request answered, in this time. */
  readonly timeoutMs: number;
  /** Whether a topic that is missing is asked for, which makes it where the brokers allow it. */
  readonly createsTopics: boolean;
}

/** The client library, which is loaded only where Kafka is used. */
export type KafkaLibrary = typeof import('@platformatic/kafka');

/** How often one operation is tried again before it fails: a broker that leaves is replaced in seconds. */
const RETRIES = 3;
const RETRY_DELAY_MS = 1000;

/** What all producers and consumers of one component share. */
export class KafkaClient {
  readonly #settings: KafkaClientSettings;
  readonly #tls: ClientTls | undefined;
  #library: KafkaLibrary | undefined;
  /** Host of the connection that is made at this moment. */
  #host = '';

  /** @param path of the component in the configuration, such as `exporters.kafka` */
  constructor(path: string, settings: KafkaClientSettings, logger: Logger) {
    this.#settings = settings;
    this.#tls = settings.tls && new ClientTls(`${path}.tls`, settings.tls, logger);
  }

  /**
   * Loads the library and reads certificates; nothing is connected.
   * @throws {SpoorError} config
   */
  async start(): Promise<KafkaLibrary> {
    if (this.#library !== undefined) return this.#library;
    await this.#tls?.start();
    const library = await import('@platformatic/kafka');
    this.#library = library;
    if (this.#tls !== undefined) {
      library.connectionsConnectsChannel.start.subscribe(this.#onConnect);
    }
    return library;
  }

  /** Options of every client of the cluster. */
  get options(): BaseOptions {
    const { brokers, clientId, sasl, timeoutMs, createsTopics } = this.#settings;
    const tls = this.#tls;
    return {
      clientId,
      bootstrapBrokers: [...brokers],
      timeout: timeoutMs,
      connectTimeout: timeoutMs,
      // A request of which the broker itself may take all of `timeout`.
      requestTimeout: 2 * timeoutMs,
      retries: RETRIES,
      retryDelay: RETRY_DELAY_MS,
      autocreateTopics: createsTopics,
      ...(sasl === undefined ? {} : { sasl }),
      ...(tls === undefined ? {} : { tls: this.#connectOptions(tls) }),
    };
  }

  /** Looks at certificates no more. */
  shutdown(): void {
    this.#tls?.shutdown();
    if (this.#tls !== undefined) {
      this.#library?.connectionsConnectsChannel.start.unsubscribe(this.#onConnect);
    }
  }

  /**
   * Options that are read anew for each connection, so that it has the certificate of that moment. Servers are told by
   * which name they are called, but an address is no name: the library would tell it all the same, and throw where
   * nobody catches. So it is told of names here; brokers that are learned may have either.
   */
  #connectOptions(tls: ClientTls): ClientTls['options'] {
    const host = (): string => this.#host;
    const { rejectUnauthorized, servername } = tls.options;
    return {
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      get secureContext() {
        return tls.options.secureContext;
      },
      // Without a name Node tells none.
      get servername() {
        return servername ?? (isIP(host()) === 0 ? host() : '');
      },
    };
  }

  /** Told by the library right before it reads the options of a connection. */
  readonly #onConnect = (context: unknown): void => {
    const { host } = context as { readonly host?: unknown };
    if (typeof host === 'string') this.#host = host;
  };
}
