// SPDX-License-Identifier: Apache-2.0
import { createSocket, type Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';
import { ERROR_CODES, SpoorError, type ErrorCode } from '@spoor/core/model/errors.ts';
import type { Tenant } from '@spoor/core/model/ids.ts';
import type { BoundAddress } from '#net/listening-socket.ts';
import { LogThrottle } from '#net/logger.ts';
import { makeRefusal } from '#net/refusal.ts';
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

/** What a datagram costs beside its bytes: objects, promises. */
const PACKET_OVERHEAD_BYTES = 1024;

const ERROR_LOG_INTERVAL_MS = 10_000;

/**
 * Receives what Jaeger clients send to an agent: a Thrift message in each datagram. Nobody is answered, so what is not
 * stored is dropped and counted, with its reason.
 */
export class UdpReceiver {
  readonly #settings: UdpReceiverSettings;
  readonly #parts: UdpReceiverParts;
  readonly #intake: ReceiverIntake;
  readonly #throttle = new LogThrottle(ERROR_LOG_INTERVAL_MS);
  readonly #underWay = new Set<Promise<void>>();
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
    return this.#underWay.size;
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
    let timer: NodeJS.Timeout | undefined;
    const deadline = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, deadlineMs);
    });
    await Promise.race([Promise.all(this.#underWay), deadline]);
    clearTimeout(timer);
  }

  #onPacket(packet: Buffer): void {
    const { maxPacketBytes, queuePackets } = this.#settings;
    const { tenant } = this.#parts;
    if (packet.length > maxPacketBytes) {
      this.#drop('too_large', `a datagram of ${packet.length} > ${maxPacketBytes} bytes`);
    } else if (tenant === undefined) {
      this.#drop('unauthenticated', 'no tenant is set');
    } else if (this.#underWay.size >= queuePackets) {
      this.#drop('overloaded', `${queuePackets} datagrams wait`);
    } else {
      const lease = this.#parts.budgetOf(tenant).reserve(packet.length + PACKET_OVERHEAD_BYTES);
      if (lease === undefined) {
        this.#drop('overloaded', 'the memory for bodies is full');
        return;
      }
      const { format } = this.#parts;
      const request = { format, bytes: packet, wireBytes: packet.length, lease };
      const taken = this.#take(tenant, request);
      this.#underWay.add(taken);
      void taken.then(() => this.#underWay.delete(taken));
    }
  }

  async #take(tenant: Tenant, request: Parameters<ReceiverIntake['take']>[1]): Promise<void> {
    const outcome = await this.#intake.take(tenant, request, { once: true });
    if ('refusal' in outcome) {
      this.#intake.counters.countRefused(request.format, outcome.refusal);
    } else if (outcome.result.clientReport !== undefined) {
      this.#parts.clientReports.add(outcome.result.clientReport);
    }
  }

  #drop(reason: ErrorCode, message: string): void {
    this.#intake.counters.countRefused(
      this.#parts.format,
      makeRefusal(reason, ERROR_CODES[reason], message),
    );
  }
}
