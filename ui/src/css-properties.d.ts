// SPDX-License-Identifier: Apache-2.0
import 'react';

declare module 'react' {
  interface CSSProperties {
    /** OKLCH hue of a service, see `model/service-colour.ts`; the theme adds lightness and chroma. */
    '--hue'?: number;
    /** Width of the waterfall's column of names. */
    '--names'?: string;
  }
}
