// SPDX-License-Identifier: Apache-2.0

/**
 * How far one partition is: records are taken in ascending order, end in any, and all before the first one that is not done
 * may be committed.
 */
export class PartitionProgress {
  readonly topic: string;
  readonly partition: number;
  /** Of the group, since which the partition is ours. */
  generation: number;
  /** Epoch of the leader that the last record came from; -1 is not known. */
  leaderEpoch = -1;
  /** Offset that was committed last; undefined when none was since the partition is ours. */
  committed: bigint | undefined;
  /** Offset of the first record that was taken: where the group was. */
  #begin: bigint | undefined;
  /** Offset after the last one. */
  #end: bigint | undefined;
  /** Those that are not done, ascending. */
  readonly #underWay = new Set<bigint>();

  constructor(topic: string, partition: number, generation: number) {
    this.topic = topic;
    this.partition = partition;
    this.generation = generation;
  }

  /** Takes a record. @returns false when it was taken before: it is done or under way */
  take(offset: bigint): boolean {
    if (this.#end !== undefined && offset < this.#end) return false;
    this.#begin ??= offset;
    this.#end = offset + 1n;
    this.#underWay.add(offset);
    return true;
  }

  /** A record that was taken is done. */
  finish(offset: bigint): void {
    this.#underWay.delete(offset);
  }

  /** The offset from which on records are not done; undefined when none was taken. */
  get position(): bigint | undefined {
    const [first] = this.#underWay;
    return first ?? this.#end;
  }

  /** The offset to commit, or undefined when nothing was done since the last commit. */
  get due(): bigint | undefined {
    const { position } = this;
    return position === undefined || position === (this.committed ?? this.#begin)
      ? undefined
      : position;
  }
}
