// SPDX-License-Identifier: Apache-2.0
import { totalmem } from 'node:os';
import type { MemoryLimiterConfig } from './memory-limiter-config.ts';
import { componentType } from './named-components.ts';

const MIB = 1024 * 1024;

/** Requests are refused from this share of the limit on, unless a memory_limiter says otherwise. */
const REFUSE_RATIO = 0.8;

/** How much memory the process may take. */
interface MemoryLimits {
  readonly limitMib: number;
  /** Requests are refused from here on, in MiB. */
  readonly refuseMib: number;
}

/** The part of the configuration that says so. */
interface LimitedConfig {
  readonly memory_limit_mib: number;
  readonly processors: Readonly<Record<string, unknown>>;
  readonly service: {
    readonly pipelines: Readonly<Record<string, { readonly processors: readonly string[] }>>;
  };
}

/**
 * The limits of a memory_limiter, the lowest where pipelines use several; `memory_limit_mib` where they use none.
 * @param availableBytes memory there is, of which percentages are
 */
export function memoryLimits(
  { memory_limit_mib: usualMib, processors, service }: LimitedConfig,
  availableBytes = availableMemory(),
): MemoryLimits {
  const used = new Set(Object.values(service.pipelines).flatMap(({ processors: ids }) => ids));
  const limits = [...used]
    .filter((id) => componentType(id) === 'memory_limiter' && processors[id] !== undefined)
    // The settings at an id are of its type.
    .map((id) => limitsOf(processors[id] as MemoryLimiterConfig, availableBytes / MIB));
  limits.sort((a, b) => a.limitMib - b.limitMib);
  return limits[0] ?? { limitMib: usualMib, refuseMib: usualMib * REFUSE_RATIO };
}

function limitsOf(config: MemoryLimiterConfig, availableMib: number): MemoryLimits {
  const shareOf = (percentage: number): number => Math.floor((availableMib * percentage) / 100);
  const limitMib = config.limit_mib || shareOf(config.limit_percentage);
  const spikeMib =
    config.limit_mib > 0 ? config.spike_limit_mib : shareOf(config.spike_limit_percentage);
  return { limitMib, refuseMib: spikeMib === 0 ? limitMib * REFUSE_RATIO : limitMib - spikeMib };
}

/** Memory of the container, or else of the machine, in bytes. */
function availableMemory(): number {
  const total = totalmem();
  const constrained = process.constrainedMemory();
  return constrained > 0 ? Math.min(constrained, total) : total;
}
