// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ERROR_CODES, SpoorError, type ErrorCode } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import {
  DATAGRAM_HEAD_BYTES,
  joinDatagrams,
  splitDatagrams,
} from '@spoor/core/wire/jaeger/joined-datagrams.ts';
import type { BoundAddress } from '#net/listening-socket.ts';
import { LogThrottle } from '#net/logger.ts';
import { makeRefusal, type RefusalReason } from '#net/refusal.ts';
import type { IngestFormat } from '#pipeline/trace-ingest.ts';
import { ReceiverIntake, type PlacedReceiverParts } from '#receivers/intake.ts';
import type { ReceiverFigures } from '#receivers/receiver-counters.ts';
import type { ClientReports } from './client-reports.ts';
import { kernelDrops } from './kernel-drops.ts';

/** Settings of a receiver of datagrams. */
export interface UdpReceiverSettings {
  /** Name or address to bind to. */
  readonly host: string;
  /** 0 to 65535; 0 is any free port. */
  readonly port: number;
  /** Larger datagrams are dropped. */
  readonly maxPacketBytes: number;
  /** Datagrams that may wait until their spans are on disk; more are dropped. */
  readonly queuePackets: number;
  /** What the system is asked to keep of datagrams that were not read yet; it may give less. 0: what it usually has. */
  readonly socketBufferBytes: number;
}

/** What a receiver of datagrams is about. */
export interface UdpReceiverParts extends PlacedReceiverParts {
  readonly format: IngestFormat;
  /** Whose spans come here, since datagrams cannot say it; undefined: nobody's, and all are dropped. */
  readonly tenant: Tenant | undefined;
  /** Told what clients say of themselves. */
  readonly clientReports: ClientReports;
}

/** Datagrams are taken together up to so many bytes: below what the batcher decodes in slices. */
const MOST_JOINED_BYTES = 512 << 10;

/** What a body costs beside its bytes: objects, promises. */
const BODY_OVERHEAD_BYTES = 1024;

/** The part of the memory for bodies that datagrams of one port may hold: while nobody takes them, requests still find room. */
const PART_OF_BUDGET = 1 / 8;

/** Why joined datagrams may be refused for what is in one of them. */
const REASONS_OF_ONE: ReadonlySet<RefusalReason> = new Set(['malformed', 'overloaded']);

const ERROR_LOG_INTERVAL_MS = 10_000;

/**
 * Receives what Jaeger clients send to an agent: a Thrift message in each datagram. Nobody is answered, so what is not
 * stored is dropped and counted, with its reason. Datagrams that are read in one turn of the event loop become one body,
 * since the way of a body through the server costs as much as decoding some spans.
 */
export class UdpReceiver {
  readonly #settings: UdpReceiverSettings;
  readonly #parts: UdpReceiverParts;
  readonly #intake: ReceiverIntake;
  readonly #throttle = new LogThrottle(ERROR_LOG_INTERVAL_MS);
  readonly #underWay = new Set<Promise<void>>();
  /** Datagrams of this turn, and their bytes. */
  #gathered: Buffer[] = [];
  #gatheredBytes = 0;
  #queuedPackets = 0;
  /** Bytes of what was handed over. */
  #queuedBytes = 0;
  #socket: Socket | undefined;
  #address: BoundAddress | undefined;
  #started: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #kernelDrops: number | undefined;

  constructor(settings: UdpReceiverSettings, parts: UdpReceiverParts) {
    this.#settings = settings;
    this.#parts = parts;
    this.#intake = new ReceiverIntake(parts.path, parts);
  }

  /** Where the receiver is bound, or undefined while it isn't. */
  get address(): BoundAddress | undefined {
    return this.#address;
  }

  /** What was received since the start; a datagram is a request. */
  get figures(): ReceiverFigures {
    return this.#intake.counters.figures;
  }

  /** Datagrams that wait until their spans are on disk. */
  get queuedPackets(): number {
    return this.#queuedPackets;
  }

  /** Datagrams that the kernel dropped before they were read; undefined where the system does not tell. */
  get kernelDrops(): number | undefined {
    const address = this.#address;
    if (address !== undefined) this.#kernelDrops = kernelDrops(address.host, address.port);
    return this.#kernelDrops;
  }

  /**
   * Binds. Resolves once datagrams are taken.
   * @throws {SpoorError} config: the address can't be bound
   */
  start(): Promise<void> {
    if (this.#stopped !== undefined) {
      return Promise.reject(
        new SpoorError('unavailable', `${this.#parts.path}: already shut down`),
      );
    }
    this.#started ??= this.#bind();
    return this.#started;
  }

  /** Stops receiving and waits for what was received, up to the deadline. Safe before start and more than once. */
  shutdown(deadlineMs: number): Promise<void> {
    this.#stopped ??= this.#stop(deadlineMs);
    return this.#stopped;
  }

  #bind(): Promise<void> {
    const { host, port, socketBufferBytes } = this.#settings;
    const { path, tenant, tenancy, logger } = this.#parts;
    const socket = createSocket({
      type: isIPv6(host) ? 'udp6' : 'udp4',
      ...(socketBufferBytes === 0 ? {} : { recvBufferSize: socketBufferBytes }),
    });
    return new Promise((resolve, reject) => {
      const onError = (error: NodeJS.ErrnoException): void => {
        const why = error.code ?? error.message;
        const message = `${path}: cannot listen on ${host}:${port}: ${why}`;
        reject(new SpoorError('config', message, { cause: error }));
      };
      socket.once('error', onError);
      socket.bind({ address: host, port }, () => {
        socket.off('error', onError);
        socket.on('error', (error) => {
          this.#throttle.log((suppressed) =>
            logger.error({ error: error.message, suppressed }, `${path}: cannot receive`),
          );
        });
        socket.on('message', (packet) => this.#onPacket(packet));
        const bound = socket.address();
        this.#socket = socket;
        this.#address = { host: bound.address, port: bound.port };
        if (tenancy.challenges !== undefined) {
          logger.warn(
            {},
            `${path}: datagrams have no tokens: whoever reaches this port can send spans`,
          );
        }
        if (tenant === undefined) {
          logger.warn(
            {},
            `${path}: every datagram is dropped: tenancy is on, and no tenant is set`,
          );
        }
        resolve();
      });
    });
  }

  async #stop(deadlineMs: number): Promise<void> {
    // A bind that failed was told to whoever started.
    await this.#started?.catch(() => undefined);
    const socket = this.#socket;
    if (socket === undefined) return;
    // The last look at the kernel's count.
    void this.kernelDrops;
    this.#address = undefined;
    await new Promise<void>((resolve) => {
      socket.close(resolve);
    });
    this.#flush();
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.all(this.#underWay), deadline]);
    clearTimeout(timer);
  }

  #onPacket(packet: Buffer): void {
    const { maxPacketBytes, queuePackets } = this.#settings;
    if (packet.length > maxPacketBytes) {
      this.#drop('too_large', `a datagram of ${packet.length} > ${maxPacketBytes} bytes`);
    } else if (this.#parts.tenant === undefined) {
      this.#drop('unauthenticated', 'no tenant is set');
    } else if (this.#queuedPackets >= queuePackets) {
      this.#drop('overloaded', `${queuePackets} datagrams wait`);
    } else {
      if (this.#gatheredBytes + packet.length > MOST_JOINED_BYTES) this.#flush();
      // What else can be read now comes before this.
      if (this.#gathered.length === 0) setImmediate(() => this.#flush());
      this.#queuedPackets++;
      this.#gathered.push(packet);
      this.#gatheredBytes += packet.length;
    }
  }

  /** Hands over what was gathered. */
  #flush(): void {
    const { tenant } = this.#parts;
    const count = this.#gathered.length;
    if (tenant === undefined || count === 0) return;
    const body = joinDatagrams(this.#gathered);
    this.#gathered = [];
    this.#gatheredBytes = 0;
    if (
      this.#queuedBytes + body.length >
      this.#parts.budgetOf(tenant).limitBytes * PART_OF_BUDGET
    ) {
      this.#queuedPackets -= count;
      this.#drop('overloaded', `datagrams of ${this.#queuedBytes} bytes wait`, count);
      return;
    }
    this.#queuedBytes += body.length;
    const taken = this.#take(tenant, body, count);
    this.#underWay.add(taken);
    void taken.then(() => {
      this.#underWay.delete(taken);
      this.#queuedPackets -= count;
      this.#queuedBytes -= body.length;
    });
  }

  /** Takes joined datagrams, of which none is lost since another one is malformed or of a service over its limit. */
  async #take(tenant: Tenant, body: Uint8Array, count: number, isAgain = false): Promise<void> {
    const { format, budgetOf, clientReports } = this.#parts;
    const lease = budgetOf(tenant).reserve(body.length + BODY_OVERHEAD_BYTES);
    if (lease === undefined) {
      this.#drop('overloaded', 'the memory for bodies is full', count);
      return;
    }
    const wireBytes = body.length - count * DATAGRAM_HEAD_BYTES;
    const request = { format, bytes: body, wireBytes, lease, requests: count, isAgain };
    const outcome = await this.#intake.take(tenant, request, { once: true });
    if ('result' in outcome) {
      for (const report of outcome.result.clientReports ?? []) clientReports.add(report);
    } else if (count > 1 && REASONS_OF_ONE.has(outcome.refusal.reason)) {
      const alone = Array.from(splitDatagrams(body), (datagram) => joinDatagrams([datagram]));
      await Promise.all(alone.map((datagram) => this.#take(tenant, datagram, 1, true)));
    } else this.#intake.counters.countRefused(format, outcome.refusal, count);
  }

  #drop(reason: ErrorCode, message: string, count = 1): void {
    this.#intake.counters.countRefused(
      this.#parts.format,
      makeRefusal(reason, ERROR_CODES[reason], message),
      count,
    );
  }
}
