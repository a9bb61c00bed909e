// SPDX-License-Identifier: Apache-2.0
import { configJsonSchema, type JsonSchema } from './config-keys.ts';
import { variableOf } from './jaeger/v1-settings.ts';
import type { V1Flag } from './jaeger/v1-flag.ts';
import { V1_FLAGS } from './jaeger/v1-flags.ts';
import { PRESETS, ROLES, ROLE_TEXTS } from './presets.ts';

/** Sections whose keys are types of components; each gets a heading of its own. */
const KINDS = ['receivers', 'processors', 'exporters'];

/** Sections with fewer keys are listed again where they occur again. */
const LEAST_SHARED_KEYS = 4;

/** Every key of the configuration, the roles and the flags of Jaeger, as Markdown. */
export function configReference(): string {
  const schema = configJsonSchema();
  const writer = new ReferenceWriter();
  const single: Record<string, JsonSchema> = {};
  const sections: string[] = [];
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (child.properties === undefined) single[name] = child;
    else if (!KINDS.includes(name)) sections.push(`## ${name}\n\n${writer.section(name, child)}`);
    else {
      const types = Object.entries(child.properties).map(
        ([type, own]) => `### ${name}.${type}\n\n${writer.section(`${name}.${type}`, own)}`,
      );
      sections.push(`## ${name}\n\n${child.description}\n\n${types.join('\n')}`);
    }
  }
  return [
    INTRODUCTION,
    `## Roles\n\n${roleTable()}`,
    `## At the top\n\n${writer.table('', { properties: single })}`,
    ...sections,
    `## Flags and variables of Jaeger 1\n\n${JAEGER}\n\n${flagTable()}`,
  ].join('\n');
}

const INTRODUCTION = `# Configuration

Every key of the file that \`--config\` names; \`--set path.to.key=value\` sets one. A later one of these wins: the preset of the role, the file, environment variables of Jaeger 1, flags of Jaeger 1, \`SPOOR_DATA\`, \`--data\`, \`--set\`. \`spoor config print [ROLE]\` shows what is in force, and as comments what is not set, \`spoor config validate [ROLE]\` says what is wrong, and where.

The file has the shape of the OpenTelemetry collector's. Receivers, processors and exporters are configured by their type, or by \`type/name\` where there are several of a type, and take part when a pipeline of \`service.pipelines\` names them. Without pipelines in the file those of the role stay, and the file changes single keys of its components. A file with pipelines says all of them, and all of each component that it configures.

Values take \`\${env:NAME}\` and \`\${env:NAME:-default}\`; \`$$\` is a dollar sign. Files of Jaeger 2 are taken as they are: [replacing Jaeger](../guide/replacing-jaeger.md).

This page is what \`spoor config docs\` prints.
`;

const JAEGER = `A flag is given as \`--name=value\`, its variable is the name in capitals with \`_\` in place of \`.\` and \`-\`.`;

function roleTable(): string {
  const rows = ROLES.map((role) => {
    const { service } = PRESETS[role];
    const { receivers, exporters } = service.pipelines.traces;
    const command = role === 'all-in-one' ? '`spoor`' : `\`spoor ${role}\``;
    return [command, ROLE_TEXTS[role], code(receivers.join(', ')), code(exporters.join(', '))];
  });
  return table(['command', 'what it does', 'receivers', 'exporters'], rows);
}

/** Writes tables of keys; a section that was listed before is referred to. */
class ReferenceWriter {
  readonly #written = new Map<string, string>();

  /** The description of a section and its keys. */
  section(path: string, schema: JsonSchema): string {
    const rows = [...this.#shared(path, '', schema)];
    const keys = rows.length > 0 ? keyTable(rows) : this.table(path, schema);
    return `${schema.description ?? ''}\n${keys === '' ? '' : `\n${keys}`}`;
  }

  table(path: string, schema: JsonSchema): string {
    const rows = [...this.#rows(path, '', schema)];
    return rows.length === 0 ? '' : keyTable(rows);
  }

  *#rows(path: string, prefix: string, schema: JsonSchema): Generator<string[]> {
    for (const [name, child] of Object.entries(propertiesOf(schema))) {
      const key = `${prefix}${name}`;
      const below = inside(child);
      const description = child.description ?? below?.schema.description ?? '';
      if (below === undefined) {
        yield [code(key), describe(child), usual(child, schema, name), description];
        continue;
      }
      const shared = [...this.#shared(path, key, below.schema)];
      yield [code(key), shared.length > 0 ? 'section' : below.what, '', description];
      yield* shared.length > 0 ? shared : this.#rows(path, `${key}${below.mark}.`, below.schema);
    }
  }

  /** Rows in place of the keys of a section whose like was listed before; none when it was not. */
  *#shared(path: string, key: string, schema: JsonSchema): Generator<string[]> {
    const properties = propertiesOf(schema);
    if (Object.keys(properties).length < LEAST_SHARED_KEYS) return;
    const text = JSON.stringify(properties, (name, value: unknown) =>
      name === 'default' || name === 'description' ? undefined : value,
    );
    const earlier = this.#written.get(text);
    if (earlier === undefined) {
      this.#written.set(text, [path, key].filter((part) => part !== '').join('.'));
      return;
    }
    const prefix = key === '' ? '' : `${key}.`;
    yield [code(`${prefix}*`), '', '', `The keys of ${code(earlier)}.`];
    const { endpoint } = properties;
    if (endpoint === undefined) return;
    const value = usual(endpoint, schema, 'endpoint');
    yield [code(`${prefix}endpoint`), describe(endpoint), value, endpoint.description ?? ''];
  }
}

/** The keys of a section, those of all its forms together. */
function propertiesOf(schema: JsonSchema): Readonly<Record<string, JsonSchema>> {
  return Object.assign({}, schema.properties, ...(schema.anyOf ?? []).map(propertiesOf));
}

/** What is below a value that is no plain one: a section, entries of a list, or values by name. */
function inside(
  schema: JsonSchema,
): { readonly schema: JsonSchema; readonly mark: string; readonly what: string } | undefined {
  const { items, additionalProperties: values } = schema;
  const ways = [
    { schema, mark: '', what: 'section' },
    { schema: items, mark: '[]', what: 'list of sections' },
    { schema: values, mark: '.NAME', what: 'sections by name' },
  ];
  for (const { schema: part, ...way } of ways) {
    if (part === undefined || part === false) continue;
    if (Object.keys(propertiesOf(part)).length > 0) return { schema: part, ...way };
  }
  return undefined;
}

/** What a value can be, in words. */
function describe(schema: JsonSchema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => code(String(value))).join(', ');
  if (schema.const !== undefined) return code(JSON.stringify(schema.const));
  if (schema.anyOf !== undefined) {
    return [...new Set(schema.anyOf.map(describe))].join(' or ');
  }
  switch (schema.type) {
    case 'boolean':
      return '`true`, `false`';
    case 'integer':
    case 'number':
      return `${schema.type === 'integer' ? 'whole number' : 'number'}${range(schema)}`;
    case 'array':
      return `list of ${schema.items === undefined ? 'values' : `${describe(schema.items)}s`}`;
    case 'object':
      return schema.additionalProperties === undefined || schema.additionalProperties === false
        ? 'section'
        : `${describe(schema.additionalProperties)} by name`;
    default:
      return schema.type === undefined ? 'value' : 'text';
  }
}

function range({ minimum, exclusiveMinimum, maximum }: JsonSchema): string {
  const most = maximum === undefined || maximum >= Number.MAX_SAFE_INTEGER ? undefined : maximum;
  if (exclusiveMinimum !== undefined)
    return `, above ${exclusiveMinimum}${most === undefined ? '' : ` to ${most}`}`;
  const least = minimum === undefined || minimum <= Number.MIN_SAFE_INTEGER ? undefined : minimum;
  if (least === undefined) return most === undefined ? '' : `, to ${most}`;
  return most === undefined ? `, from ${least}` : `, ${least} to ${most}`;
}

function usual(schema: JsonSchema, parent: JsonSchema, name: string): string {
  if (schema.default === undefined)
    return parent.required?.includes(name) === true ? 'required' : '';
  return schema.default === ''
    ? ''
    : code(typeof schema.default === 'string' ? schema.default : JSON.stringify(schema.default));
}

function flagTable(): string {
  const rows = [...V1_FLAGS].map(([name, flag]) => [
    code(flag.isVariableOnly === true ? variableOf(name) : `--${name}`),
    meaningOf(flag),
  ]);
  return table(['flag', 'here'], rows);
}

/** What a flag does, seen from what it does with a value that it takes. */
function meaningOf(flag: V1Flag): string {
  if (flag.note !== undefined) return flag.note;
  let why = '';
  for (const value of ['1', '1s', 'memory', 'a=b']) {
    try {
      const meaning = flag.read(value);
      if (typeof meaning === 'string') return `no effect: ${meaning}`;
      const paths = meaning.map(({ path }) => code(path.join('.')));
      return [...new Set(paths)].join(', ');
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      why = error.message;
    }
  }
  const usualText =
    flag.usual === undefined ? '' : ` unless it is ${code(flag.usual === '' ? '""' : flag.usual)}`;
  return `refused${usualText}: ${why}`;
}

function keyTable(rows: readonly (readonly string[])[]): string {
  return table(['key', 'value', 'default', 'meaning'], rows);
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll('|', '\\|').replaceAll('\n', ' ')).join(' | ')} |\n`;
  return line(head) + line(head.map(() => '---')) + rows.map(line).join('');
}

function code(text: string): string {
  return `\`${text}\``;
}
