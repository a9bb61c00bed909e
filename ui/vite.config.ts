// SPDX-License-Identifier: Apache-2.0
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  plugins: [react()],
  build: {
    target: ['chrome125', 'edge125', 'firefox128', 'safari17.5'],
    // Nothing inline: the page is served under `script-src 'self'; style-src 'self'`.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    chunkSizeWarningLimit: 800,
  },
  server: {
    // `npm run dev -w ui` beside a running Spoor.
    proxy: { '/api': 'http://127.0.0.1:16686' },
  },
});
