// SPDX-License-Identifier: Apache-2.0
import { z } from 'zod';
import { SpoorError } from '@spoor/core/model/errors.ts';
import type {
  OperationRate,
  OperationSampling,
  SamplingStrategies,
  SamplingStrategy,
} from './sampling-strategy.ts';

const operationSchema = z.object({
  operation: z.string(),
  type: z.string(),
  param: z.number(),
});

const strategySchema = z.object({
  type: z.string().default(''),
  param: z.number().default(0),
  operation_strategies: z.array(operationSchema).nullish(),
});

const fileSchema = z
  .object({
    default_strategy: strategySchema.nullish(),
    service_strategies: z.array(strategySchema.extend({ service: z.string() })).nullish(),
  })
  // Of a server that has none.
  .nullable();

type StrategyEntry = z.output<typeof strategySchema>;

/** Told what in a file does not count, and why. */
export type StrategyWarning = (message: string) => void;

/**
 * Strategies from the text of a strategies file, which is Jaeger's: rules and defaults too.
 *
 * - A service without operations of its own has those of the default strategy, with its own rate for the others; one that has
 *   some has the default's besides.
 * - What has a type that is not known is sampled at the default probability; operations can only be probabilistic.
 * @param defaultProbability where the file says nothing, 0 to 1
 * @throws {SpoorError} config: it is not JSON of this shape
 * @see https://www.jaegertracing.io/docs/1.62/sampling/#file-based-sampling-configuration
 */
export function parseStrategies(
  text: string,
  defaultProbability: number,
  warn: StrategyWarning,
): SamplingStrategies {
  const file = readFile(text);
  const read = new StrategyReader(defaultProbability, warn);
  const fallback = read.strategy('default_strategy', file?.default_strategy ?? undefined);
  const byService = new Map<string, SamplingStrategy>();
  file?.service_strategies?.forEach((entry, i) => {
    const strategy = read.strategy(`service_strategies[${i}]`, entry);
    byService.set(entry.service, withDefaults(strategy, fallback.operationSampling));
  });
  return { byService, fallback };
}

function readFile(text: string): z.output<typeof fileSchema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    const { message } = error as SyntaxError;
    throw new SpoorError('config', `sampling strategies: not JSON: ${message}`, { cause: error });
  }
  const result = fileSchema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const path = issue?.path
    .map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`))
    .join('')
    .replace(/^\./, '');
  throw new SpoorError('config', `sampling strategies: ${path || 'the file'}: ${issue?.message}`);
}

/** Reads the entries of one file. */
class StrategyReader {
  readonly #defaultProbability: number;
  readonly #warn: StrategyWarning;

  constructor(defaultProbability: number, warn: StrategyWarning) {
    this.#defaultProbability = defaultProbability;
    this.#warn = warn;
  }

  /** @param entry undefined: the default probability */
  strategy(path: string, entry: StrategyEntry | undefined): SamplingStrategy {
    const own = entry === undefined ? undefined : this.#own(path, entry);
    const operations = entry?.operation_strategies ?? [];
    const operationSampling =
      operations.length === 0
        ? undefined
        : {
            defaultSamplingProbability:
              own?.type === 'probabilistic' ? own.samplingRate : this.#defaultProbability,
            perOperationStrategies: operations.flatMap((operation, i) =>
              this.#operation(`${path}.operation_strategies[${i}]`, operation),
            ),
          };
    return {
      ...(own ?? { type: 'probabilistic', samplingRate: this.#defaultProbability }),
      operationSampling,
    };
  }

  #own(
    path: string,
    { type, param }: StrategyEntry,
  ):
    | { type: 'probabilistic'; samplingRate: number }
    | { type: 'ratelimiting'; maxTracesPerSecond: number }
    | undefined {
    switch (type) {
      case 'probabilistic':
        return { type, samplingRate: this.#rate(path, param) };
      case 'ratelimiting':
        return { type, maxTracesPerSecond: Math.min(Math.max(Math.trunc(param), 0), 2 ** 31 - 1) };
      default:
        this.#warn(
          `${path}: type ${JSON.stringify(type)} is not probabilistic or ratelimiting: sampled at ${this.#defaultProbability}`,
        );
        return undefined;
    }
  }

  #operation(
    path: string,
    { operation, type, param }: z.output<typeof operationSchema>,
  ): OperationRate[] {
    if (type === 'probabilistic') return [{ operation, samplingRate: this.#rate(path, param) }];
    this.#warn(
      `${path}: operations can only be probabilistic, not ${JSON.stringify(type)}: left out`,
    );
    return [];
  }

  #rate(path: string, param: number): number {
    if (param >= 0 && param <= 1) return param;
    const rate = param > 1 ? 1 : 0;
    this.#warn(`${path}: ${param} is not a share from 0 to 1: taken as ${rate}`);
    return rate;
  }
}

/** A service's strategy with the operations of the default strategy that it does not have itself. */
function withDefaults(
  strategy: SamplingStrategy,
  defaults: OperationSampling | undefined,
): SamplingStrategy {
  if (defaults === undefined) return strategy;
  const own = strategy.operationSampling;
  if (own === undefined) {
    const rate = strategy.type === 'probabilistic' ? strategy.samplingRate : undefined;
    const defaultSamplingProbability = rate ?? defaults.defaultSamplingProbability;
    return { ...strategy, operationSampling: { ...defaults, defaultSamplingProbability } };
  }
  const known = new Set(own.perOperationStrategies.map(({ operation }) => operation));
  const inherited = defaults.perOperationStrategies.filter(
    ({ operation }) => !known.has(operation),
  );
  return {
    ...strategy,
    operationSampling: {
      ...own,
      perOperationStrategies: [...own.perOperationStrategies, ...inherited],
    },
  };
}
