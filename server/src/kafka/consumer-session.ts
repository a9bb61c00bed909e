// SPDX-License-Identifier: Apache-2.0
import type {
  Consumer,
  ConsumerOptions,
  Message,
  MessageConsumerMetadata,
  MessagesStream,
} from '@platformatic/kafka';
import { LogThrottle, type Logger } from '#net/logger.ts';
import type { KafkaRecord } from './dead-letters.ts';
import type { KafkaLibrary } from './kafka-client.ts';
import { PartitionProgress } from './partition-progress.ts';

/** How a group consumes. */
export interface ConsumerSessionSettings {
  readonly topics: readonly string[];
  readonly groupId: string;
  readonly groupInstanceId: string | undefined;
  /** Where a group begins that has committed nothing yet. */
  readonly initialOffset: 'earliest' | 'latest';
  /** Without a sign of life for so long a member is out of its group. */
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  /** Bytes that a broker gives at once, of one partition and of all. */
  readonly partitionFetchBytes: number;
  readonly fetchBytes: number;
  readonly maxFetchWaitMs: number;
  readonly commitIntervalMs: number;
}

/** What a {@link ConsumerSession} works with. */
export interface ConsumerSessionParts {
  readonly path: string;
  readonly library: KafkaLibrary;
  /** Options of every client of the cluster. */
  readonly options: Omit<ConsumerOptions<Buffer, Buffer, Buffer, Buffer>, 'groupId'>;
  /** Takes a record; see `RecordIntake`. */
  readonly take: (record: KafkaRecord, signal: AbortSignal) => Promise<boolean>;
  /** Records that wait to be tried again: while there are any, no others are begun. */
  readonly waiting: () => number;
  readonly logger: Logger;
}

/** Lag of one partition. */
export interface PartitionLag {
  readonly topic: string;
  readonly partition: number;
  /** Records that are not stored yet; undefined while that is not known. */
  readonly lag: bigint | undefined;
}

/** Records that are under way at once, as many as Jaeger's ingester has. Memory is reserved for each on its own. */
const MAX_RECORDS = 1000;

/** Messages that wait in the library to be taken; of what a broker gave at once there may be more. */
const HIGH_WATER_MARK = 256;

const LAG_INTERVAL_MS = 10_000;
const LOG_INTERVAL_MS = 10_000;

type Stream = MessagesStream<Buffer, Buffer, Buffer, Buffer>;
type StreamMessage = Message<Buffer, Buffer, Buffer, Buffer>;

/**
 * One life of a consumer, from joining the group until it leaves or something fails for good; then another session goes on
 * from what was committed.
 *
 * Records of all partitions are taken side by side. An offset is committed once every record before it is done. Before the
 * group shares its partitions anew, what is under way is awaited and committed, so that the next owner does not begin with
 * records that are stored.
 */
export class ConsumerSession {
  readonly #settings: ConsumerSessionSettings;
  readonly #parts: ConsumerSessionParts;
  readonly #consumer: Consumer<Buffer, Buffer, Buffer, Buffer>;
  readonly #partitions = new Map<string, PartitionProgress>();
  readonly #throttle = new LogThrottle(LOG_INTERVAL_MS);
  readonly #retrying = new AbortController();
  readonly #over = Promise.withResolvers<void>();
  #stream: Stream | undefined;
  #underWay = 0;
  /** Whether no more records are begun: the group is about to change, or the session ends. */
  #isHeld = false;
  #isEnding = false;
  #isSettling = false;
  #committing: Promise<void> | undefined;
  /** Called when something has changed that others wait for. */
  #wake: (() => void)[] = [];
  #ends: ReadonlyMap<string, readonly bigint[]> = new Map();

  constructor(settings: ConsumerSessionSettings, parts: ConsumerSessionParts) {
    this.#settings = settings;
    this.#parts = parts;
    const { sessionTimeoutMs } = settings;
    this.#consumer = new parts.library.Consumer({
      ...parts.options,
      groupId: settings.groupId,
      ...(settings.groupInstanceId === undefined
        ? {}
        : { groupInstanceId: settings.groupInstanceId }),
      sessionTimeout: sessionTimeoutMs,
      rebalanceTimeout: Math.max(sessionTimeoutMs, 60_000),
      heartbeatInterval: settings.heartbeatIntervalMs,
      heartbeatStallTimeout: 2 * sessionTimeoutMs,
      minBytes: 1,
      maxBytes: settings.fetchBytes,
      maxBytesPerPartition: settings.partitionFetchBytes,
      maxWaitTime: settings.maxFetchWaitMs,
      highWaterMark: HIGH_WATER_MARK,
      autocommit: false,
      // The library asks for this before each request to join, which is when partitions are given back.
      protocolsMetadata: async () => {
        await this.#settle();
        return Buffer.alloc(0);
      },
    });
    this.#consumer.on('consumer:group:join', ({ assignments, generationId }) =>
      this.#assign(assignments ?? [], generationId ?? 0),
    );
    this.#consumer.on('error', (error) => this.#over.reject(error));
    this.#consumer.on('consumer:heartbeat:stalled', ({ lastError }) =>
      this.#over.reject(lastError ?? new Error('no heartbeat is answered')),
    );
    // Told to whoever runs the session.
    this.#over.promise.catch(() => undefined);
  }

  /** Partitions that are ours now. */
  lags(): PartitionLag[] {
    return Array.from(this.#partitions.values(), (progress) => {
      const { topic, partition } = progress;
      const end = this.#ends.get(topic)?.[partition];
      const position =
        progress.position ?? this.#stream?.offsetsToFetch.get(keyOf(topic, partition));
      const lag = end === undefined || position === undefined ? undefined : end - position;
      // The end was asked for a while ago.
      return { topic, partition, lag: lag !== undefined && lag < 0n ? 0n : lag };
    });
  }

  /** Consumes until {@link end} is called. @throws what failed */
  async run(): Promise<void> {
    const { topics, initialOffset, commitIntervalMs } = this.#settings;
    const timers = [
      setInterval(() => void this.#commit(), commitIntervalMs),
      setInterval(() => void this.#askEnds(), LAG_INTERVAL_MS),
    ];
    try {
      const stream = await this.#consumer.consume({
        topics: [...topics],
        mode: 'committed',
        fallbackMode: initialOffset,
      });
      this.#stream = stream;
      stream.on('offsets', () => this.#forgetReset(stream));
      void this.#askEnds();
      await Promise.race([this.#read(stream), this.#over.promise]);
    } finally {
      for (const timer of timers) clearInterval(timer);
    }
  }

  /**
   * Begins no more records, waits for those under way, commits what is done, and leaves the group. Never rejects; may be
   * called at any time.
   */
  async end(deadlineMs: number): Promise<void> {
    this.#isEnding = this.#isHeld = true;
    this.#over.resolve();
    this.#retrying.abort();
    this.#changed();
    await this.#until(() => this.#underWay === 0, deadlineMs);
    await this.#committing;
    await this.#commit();
    try {
      await this.#consumer.close(true);
    } catch {
      // The group finds out by itself, after the session's timeout.
      await this.#consumer.connections.close().catch(() => undefined);
    }
  }

  async #read(stream: Stream): Promise<void> {
    for await (const message of stream) {
      while (!this.#hasRoom()) {
        if (this.#isEnding) return;
        await this.#change();
      }
      this.#begin(message as StreamMessage);
    }
    throw new Error('the stream of records has ended');
  }

  #hasRoom(): boolean {
    return !this.#isHeld && this.#underWay < MAX_RECORDS && this.#parts.waiting() === 0;
  }

  #begin(message: StreamMessage): void {
    const { topic, partition, offset } = message;
    const progress = this.#partitions.get(keyOf(topic, partition));
    // Others have the partition by now, or had it since this was fetched, and it comes again behind those before it.
    if (progress === undefined || generationOf(message) < progress.generation) return;
    // It came again, since the group has changed.
    if (!progress.take(offset)) return;
    progress.leaderEpoch = message.leaderEpoch;
    this.#underWay++;
    void this.#parts.take(message, this.#retrying.signal).then((isDone) => {
      if (isDone) progress.finish(offset);
      this.#underWay--;
      this.#changed();
    });
  }

  /** What is ours from now on. Partitions that stay keep their progress. */
  #assign(
    assignments: readonly { topic: string; partitions: readonly number[] }[],
    generation: number,
  ): void {
    const ours = new Set<string>();
    for (const { topic, partitions } of assignments) {
      for (const partition of partitions) {
        const key = keyOf(topic, partition);
        ours.add(key);
        const progress = this.#partitions.get(key);
        if (progress === undefined) {
          this.#partitions.set(key, new PartitionProgress(topic, partition, generation));
        } else if (generation < progress.generation) {
          // The group was forgotten by its broker, and counts anew.
          progress.generation = generation;
        }
      }
    }
    for (const key of this.#partitions.keys()) {
      if (ours.has(key)) continue;
      this.#partitions.delete(key);
      // What was fetched is not done: where nothing is committed, the library would go on behind it.
      this.#stream?.offsetsToFetch.delete(key);
    }
    this.#isHeld = this.#isEnding;
    this.#changed();
  }

  /** A topic that was made anew begins before what was committed of the old one: its records are none that we know. */
  #forgetReset(stream: Stream): void {
    for (const [key, progress] of this.#partitions) {
      const { topic, partition, generation, committed } = progress;
      const next = stream.offsetsToFetch.get(key);
      if (next !== undefined && committed !== undefined && next < committed) {
        this.#partitions.set(key, new PartitionProgress(topic, partition, generation));
      }
    }
  }

  /** Before the group shares its partitions anew: begins no more, awaits what is under way, commits. */
  async #settle(): Promise<void> {
    if (this.#isSettling) return;
    this.#isSettling = this.#isHeld = true;
    const { waiting } = this.#parts;
    // What waits to be tried again is not awaited: it may take for ever.
    await this.#until(() => this.#underWay <= waiting(), this.#settings.sessionTimeoutMs / 2);
    // A commit that is under way may be what has led here.
    if (this.#committing === undefined) await this.#commit();
    this.#isSettling = false;
  }

  /** Commits what is done. Never rejects: what is not committed now is with the next commit. */
  #commit(): Promise<void> {
    this.#committing ??= this.#commitDue().finally(() => (this.#committing = undefined));
    return this.#committing;
  }

  async #commitDue(): Promise<void> {
    const due = [...this.#partitions.values()].flatMap((progress) => {
      const { topic, partition, leaderEpoch, due: offset } = progress;
      return offset === undefined
        ? []
        : [{ progress, commit: { topic, partition, leaderEpoch, offset } }];
    });
    if (due.length === 0) return;
    try {
      await this.#consumer.commit({ offsets: due.map(({ commit }) => commit) });
      for (const { progress, commit } of due) progress.committed = commit.offset;
    } catch (error) {
      this.#throttle.log((suppressed) =>
        this.#parts.logger.warn(
          { err: error, suppressed },
          `${this.#parts.path}: offsets were not committed`,
        ),
      );
    }
  }

  /** Asks how far topics go. */
  async #askEnds(): Promise<void> {
    try {
      this.#ends = await this.#consumer.listOffsets({ topics: [...this.#settings.topics] });
    } catch {
      // Nothing depends on it, and what is wrong shows elsewhere.
    }
  }

  /** Resolves when the condition holds, or the time is over. */
  async #until(condition: () => boolean, deadlineMs: number): Promise<void> {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      this.#changed();
    }, deadlineMs);
    while (!isLate && !condition()) await this.#change();
    clearTimeout(timer);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => this.#wake.push(resolve));
  }

  #changed(): void {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** The generation of the group in which a message came. */
function generationOf({ metadata }: StreamMessage): number {
  // The library has it so, and types it as anything.
  return (metadata['consumer'] as MessageConsumerMetadata).generationId;
}

function keyOf(topic: string, partition: number): string {
  return `${topic}:${partition}`;
}
