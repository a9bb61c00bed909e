// SPDX-License-Identifier: Apache-2.0
import type {
  TraceqlExpression,
  TraceqlField,
  TraceqlQuery,
  TraceqlValue,
} from '#query/traceql/traceql-query.ts';

const STATUSES = ['unset', 'ok', 'error'];
const KINDS = ['unspecified', 'internal', 'server', 'client', 'producer', 'consumer'];

/** The text of a query, with parentheses only where they are needed. */
export function formatTraceql({ filter, stages }: TraceqlQuery): string {
  const condition = filter === undefined ? '' : formatExpression(filter);
  const scalars = stages.map(({ aggregate, op, value }) => {
    const argument = aggregate === 'count' ? '' : 'duration';
    return ` | ${aggregate}(${argument}) ${op} ${formatValue(value)}`;
  });
  return `{ ${condition} }${scalars.join('')}`;
}

function formatExpression(expression: TraceqlExpression): string {
  switch (expression.op) {
    case 'and':
    case 'or': {
      const sign = expression.op === 'and' ? ' && ' : ' || ';
      // Only on the left is a chain read as it stands.
      return expression.args
        .map((arg, i) =>
          i > 0 && (arg.op === 'and' || arg.op === 'or')
            ? `(${formatExpression(arg)})`
            : formatExpression(arg),
        )
        .join(sign);
    }
    case 'not':
      return `!(${formatExpression(expression.arg)})`;
    case 'always':
      return 'true';
    case 'never':
      return 'false';
    case 'exists':
      return `${formatField(expression.field)} != nil`;
    case 'missing':
      return `${formatField(expression.field)} = nil`;
    default:
      return `${formatField(expression.field)} ${expression.op} ${formatValue(expression.value)}`;
  }
}

function formatField(field: TraceqlField): string {
  if (field.kind === 'intrinsic') return field.name;
  const { scope, key } = field;
  const isPlain = /^[\w.-]+$/.test(key) && !(scope === 'unscoped' && /^\d/.test(key));
  const name = isPlain ? key : `"${key.replaceAll(/["\\]/g, '\\$&')}"`;
  return scope === 'unscoped' ? `.${name}` : `${scope}.${name}`;
}

function formatValue(value: TraceqlValue): string {
  switch (value.type) {
    case 'string':
      return formatString(value.value);
    case 'float': {
      const text = String(value.value);
      const whole = Object.is(value.value, -0) ? '-0' : text;
      return /[.e]/.test(whole) ? whole : `${whole}.0`;
    }
    case 'duration':
      return `${value.value}ns`;
    case 'status':
      return STATUSES[Number(value.value)]!;
    case 'kind':
      return KINDS[Number(value.value)]!;
    default:
      return String(value.value);
  }
}

/** In back quotes where that is possible and saves escapes. */
function formatString(text: string): string {
  if (/["\\]/.test(text) && !/[`\r]/.test(text)) return `\`${text}\``;
  const escaped = text.replaceAll(/["\\]/g, '\\$&').replaceAll('\n', '\\n');
  return `"${escaped}"`;
}
