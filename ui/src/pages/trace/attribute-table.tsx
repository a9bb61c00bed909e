// SPDX-License-Identifier: Apache-2.0
import { useState } from 'react';
import type { KeyValue } from '#api/jaeger-json.ts';
import controls from '#components/controls.module.css';
import { CopyButton } from '#components/copy-button.tsx';
import { formatValue } from '#model/trace.ts';
import { webLink } from '#model/web-link.ts';
import styles from './attribute-table.module.css';

/** Characters of a value that are shown before "show all". */
const FIRST_CHARACTERS = 600;

/** Attributes as keys and values, under the name of their namespace if they share one. */
export function AttributeTable({
  namespace,
  attributes,
}: {
  namespace: string;
  attributes: readonly KeyValue[];
}) {
  return (
    <>
      {namespace !== '' && <h4 className={styles['namespace']}>{namespace}</h4>}
      <dl className={styles['table']}>
        {attributes.map((attribute, index) => (
          // Keys can repeat, so the place is the identity.
          <Attribute key={index} attribute={attribute} />
        ))}
      </dl>
    </>
  );
}

function Attribute({ attribute: { key, value } }: { attribute: KeyValue }) {
  const [showAll, setShowAll] = useState(false);
  const text = formatValue(value);
  const isCut = !showAll && text.length > FIRST_CHARACTERS;
  const href = webLink(text);
  return (
    <div className={styles['attribute']}>
      <dt>{key}</dt>
      <dd>
        <span className={styles['value']}>
          {href !== undefined ? (
            <a href={href} target="_blank" rel="noopener noreferrer">
              {text}
            </a>
          ) : text === '' ? (
            <i className={styles['empty']}>empty</i>
          ) : isCut ? (
            `${text.slice(0, FIRST_CHARACTERS)}…`
          ) : (
            text
          )}
        </span>
        {isCut && (
          <button type="button" className={controls['text']} onClick={() => setShowAll(true)}>
            Show all {text.length.toLocaleString('en')} characters
          </button>
        )}
        <span className={styles['copy']}>
          <CopyButton text={text} what={`value of ${key}`} />
        </span>
      </dd>
    </div>
  );
}
