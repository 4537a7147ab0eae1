// Puts the finished bundle where the Go package embeds it.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { constants, gzipSync } from 'node:zlib';

import { text } from './licences.js';

// pack is a vite plugin that replaces `to` with the gzipped files of `from`, and writes the licence texts of what they
// hold: readable at `licences`, gzipped beside the files that are served. Node's gzip writes neither time nor name, so
// the same bundle gives the same bytes.
export function pack({ from, to, licences, modules }) {
  return {
    name: 'pack',
    closeBundle() {
      rmSync(to, { recursive: true, force: true });
      for (const file of filesUnder(from)) compress(readFileSync(join(from, file)), join(to, file));
      const terms = text(modules);
      writeFileSync(licences, terms);
      compress(terms, join(to, 'playground/THIRD_PARTY_LICENSES.txt'));
    },
  };
}

function filesUnder(folder) {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

function compress(content, file) {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(`${file}.gz`, gzipSync(content, { level: constants.Z_BEST_COMPRESSION }));
}
