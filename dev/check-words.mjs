#!/usr/bin/env node
/**
 * Finds phrases that make readers stumble in the code, SQL, documents and tests of the current folder. Prints each with its
 * place and a better one, and exits with 1 if it found any. Part of `npm run check`.
 *
 * Released migrations, recorded histories and released versions in the changelog cannot change, so they are exempt.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';

/** Each phrase and its replacement. Single words are found inside other words and names too. */
const banned = [
  ['wish', 'command, or what the caller asks for'],
  ['told to', 'an active verb: the API asks the order to ...'],
  ['gone on with', 'resume, continue'],
  ['goes on with', 'resumes, continues'],
  ['tried on', 'retried'],
  ['whoever', 'name the actor'],
  ['otherwise than', 'differently from, not by'],
  ['in the go', 'in flight'],
  ['a hand in the', 'a person who changed the'],
  ['is to be had', 'is available'],
];

const textFile = /\.(ts|mts|mjs|cjs|js|sql|md|json|yml|yaml|sh|toml)$/;
const skippedFolders = new Set(['node_modules', 'dist', '.git', '.holdfast', 'coverage', '.vitest']);
const skippedPaths = [
  'package-lock.json',
  'db/migrations/meta',
  'test/bundle/replay/histories',
  // This list, and the test that plants its phrases.
  'dev/check-words.mjs',
  'test/check/words.test.ts',
];
/** Migrations up to this one are released, and a released migration never changes. */
const lastReleasedMigration = '0012';

/**
 * @param {string} root
 * @returns {{ file: string, line: number, phrase: string, instead: string }[]} in the order of files and lines
 */
function bannedPhrases(root) {
  return textFiles(root).flatMap((file) =>
    phrasesIn(changeable(file, readFileSync(join(root, file), 'utf8'))).map((found) => ({ file, ...found })),
  );
}

function textFiles(root, folder = root) {
  return readdirSync(folder, { withFileTypes: true })
    .flatMap((entry) => {
      const path = relative(root, join(folder, entry.name));
      if (skippedFolders.has(entry.name) || skippedPaths.includes(path) || isReleasedMigration(path)) return [];
      if (entry.isDirectory()) return textFiles(root, join(folder, entry.name));
      return entry.isFile() && (textFile.test(path) || path.startsWith('.ci/')) ? [path] : [];
    })
    .sort();
}

function isReleasedMigration(path) {
  const folder = 'db/migrations/';
  return path.startsWith(folder) && path.slice(folder.length, folder.length + 4) <= lastReleasedMigration;
}

/** The text that may still change: of the changelog, only its unreleased part. */
function changeable(file, text) {
  if (file !== 'CHANGELOG.md') return text;
  const released = text.indexOf('\n## ', text.indexOf('## Unreleased') + 1);
  return released < 0 ? text : text.slice(0, released);
}

/** Also finds phrases broken over two lines of a comment. */
function phrasesIn(text) {
  const starts = [];
  let prose = '';
  for (const line of text.split('\n')) {
    starts.push(prose.length);
    prose += `${line.replace(/^[\s*/#>-]+/, '').trimEnd()} `.toLowerCase();
  }
  return banned
    .flatMap(([phrase, instead]) =>
      placesOf(phrase, prose).map((place) => ({
        line: starts.filter((start) => start <= place).length,
        phrase,
        instead,
      })),
    )
    .sort((one, other) => one.line - other.line);
}

function placesOf(phrase, prose) {
  const places = [];
  for (let place = prose.indexOf(phrase); place >= 0; place = prose.indexOf(phrase, place + 1)) {
    const alone = !isLetter(prose[place - 1]) && !isLetter(prose[place + phrase.length]);
    if (alone || !phrase.includes(' ')) places.push(place);
  }
  return places;
}

function isLetter(character) {
  return character !== undefined && /[a-z]/.test(character);
}

const found = bannedPhrases(resolve('.'));
for (const { file, line, phrase, instead } of found) console.error(`${file}:${line} "${phrase}": say ${instead}`);
if (found.length > 0) process.exitCode = 1;
