// Which packages end up in the bundle, and under what terms.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = new Set();

// collect is a vite plugin that notes the package of every module bundled. The page and each worker are bundled apart,
// so it stands in both plugin lists.
export function collect() {
  return {
    name: 'licences',
    generateBundle(_, bundle) {
      for (const file of Object.values(bundle)) {
        for (const id of file.moduleIds ?? []) {
          const folder = packageFolder(id);
          if (folder) packages.add(folder);
        }
      }
    },
  };
}

// packageFolder finds the node_modules/name folder of a module: nested packages have their own copy and version.
function packageFolder(id) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(id);
  return match && match[1];
}

// Packages that ship without a licence text, and the package of the same repository that has it.
const textKeptIn = {
  '@graphiql/plugin-doc-explorer': 'graphiql',
  '@graphiql/plugin-explorer': 'graphiql',
  '@graphiql/plugin-history': 'graphiql',
  'react-compiler-runtime': 'react',
  'react-remove-scroll-bar': 'react-remove-scroll',
};

// text is the whole file of licences, sorted by package, so that the same packages give the same bytes.
export function text(modules) {
  // The bundler adds small helpers of its own to the bundle.
  const folders = [...packages, join(modules, 'vite'), join(modules, 'rolldown')];
  const entries = folders.map((folder) => entry(modules, folder)).sort((a, b) => (a < b ? -1 : 1));
  return preface + [...new Set(entries)].join('');
}

const rule = '='.repeat(80);

const preface = `The playground in this folder is built from the packages below. Each is named with its version, followed by its
licence and the notices it asks to keep.

monaco-editor also carries two things under terms of their own: the Codicons icon font, (c) Microsoft Corporation,
unchanged from https://github.com/microsoft/vscode-codicons, under the Creative Commons Attribution 4.0 International
licence, whose text stands among monaco-editor's notices; and DOMPurify, (c) Cure53 and other contributors, taken here
under the Apache License 2.0, whose text stands under react-aria.

`;

function entry(modules, folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const texts = licenceTexts(folder);
  if (texts.length === 0 && textKeptIn[name]) texts.push(...licenceTexts(join(modules, textKeptIn[name])));
  if (texts.length === 0) throw new Error(`${name}: no licence text; find the one that applies and name it in licences.js`);
  return `${rule}\n${name} ${version} (${license})\n${rule}\n\n${texts.join('\n\n')}\n\n`;
}

function licenceTexts(folder) {
  return readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice|copyrightnotice|third-?party-?notices)/i.test(file))
    .sort()
    .map((file) => ownText(readFileSync(join(folder, file), 'utf8')));
}

// ownText leaves out what vite's licence file says of the packages inside vite: they build the bundle but are not in it.
function ownText(licence) {
  return licence.split('# Licenses of bundled dependencies\nThe published Vite')[0].replace(/\r\n/g, '\n').trim();
}
