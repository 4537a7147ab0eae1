import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';

import { collect } from './licences.js';
import { pack } from './pack.js';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  // Relative addresses only, so that the page works under any prefix.
  base: './',
  plugins: [
    collect(),
    pack({
      from: at('build'),
      to: at('../dist'),
      licences: at('../THIRD_PARTY_LICENSES.txt'),
      modules: at('node_modules'),
    }),
  ],
  // Monaco's workers import one another's chunks, which only module workers can.
  worker: { format: 'es', plugins: () => [collect()] },
  build: {
    outDir: 'build',
    assetsDir: 'playground/assets',
    // Files rather than data: addresses, so that the content security policy may forbid data: fonts.
    assetsInlineLimit: 0,
    // What browsers without module preloading lack is speed, not function.
    modulePreload: { polyfill: false },
    // Monaco is one large piece; splitting it would only add requests.
    chunkSizeWarningLimit: 4096,
    target: 'es2022',
    rolldownOptions: {
      // Some packages mark their modules for React's server side, which does not exist here.
      checks: { moduleLevelDirective: false },
    },
  },
});
