// Makes the task's one file: `node bundle.mjs [folder]` writes `index.js` there (default: build). The same sources and
// lock file give the same bytes. Licences of what is bundled stand at the end of the file, as they ask.
import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));

const options = {
  absWorkingDir: here,
  entryPoints: ['src/index.ts'],
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  charset: 'utf8',
  legalComments: 'eof',
  // Names stay, so that a stack trace in a log can be read.
  minifySyntax: true,
  minifyWhitespace: true,
  logLevel: 'warning',
};

/** The folders of the packages that are in the bundle, in a fixed order. */
function packages(metafile) {
  const folder = /^node_modules\/(?:@[^/]+\/)?[^/]+/;
  const found = Object.keys(metafile.inputs).map((input) => folder.exec(input)?.[0]);
  return [...new Set(found)].filter((name) => name !== undefined).sort();
}

async function notice(folder) {
  const { name, version, license } = JSON.parse(await readFile(path.join(here, folder, 'package.json'), 'utf8'));
  const file = (await readdir(path.join(here, folder))).sort().find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${folder} has no licence file.`);
  const text = (await readFile(path.join(here, folder, file), 'utf8')).replaceAll('\r', '').replaceAll('*/', '* /');
  return `${name} ${version} (${license})\n\n${text.trim()}\n`;
}

const outfile = path.resolve(process.argv[2] ?? path.join(here, 'build'), 'index.js');
const { metafile } = await build({ ...options, write: false, metafile: true });
const notices = await Promise.all(packages(metafile).map(notice));
await build({ ...options, outfile, footer: { js: `/*! This file contains:\n\n${notices.join('\n---\n\n')}*/` } });
