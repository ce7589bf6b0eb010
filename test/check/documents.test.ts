/** Documents are complete: links lead somewhere, decisions have one form, and every workflow patch is listed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { projectRoot } from '../../dev/home/paths.js';

const read = (path: string) => readFileSync(join(projectRoot, path), 'utf8');
const filesIn = (folder: string, ending: string) =>
  readdirSync(join(projectRoot, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith(ending))
    .map((file) => (folder === '.' ? file : `${folder}/${file}`))
    .sort();

const documents = [
  ...readdirSync(projectRoot).filter((file) => file.endsWith('.md')),
  ...filesIn('docs', '.md'),
  ...filesIn('.github', '.md'),
];

/** The anchor that GitHub makes for a heading. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(' ', '-');
}

function headingsOf(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => /^#+ /.test(line))
    .map((line) => line.slice(line.indexOf(' ') + 1));
}

describe('a link in a document', () => {
  test.each(documents)('leads to a file and a heading: %s', (document) => {
    const links = [...read(document).matchAll(/\]\(([^()\s]+)\)/g)].map(([, target = '']) => target);
    const broken = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false;
      const [path = '', anchor] = link.split('#');
      const target = path === '' ? document : join(dirname(document), path);
      if (target.endsWith('NNNN-title.md')) return false;
      if (!existsSync(join(projectRoot, target))) return true;
      return anchor !== undefined && !headingsOf(read(target)).map(anchorOf).includes(anchor);
    });
    expect(broken).toEqual([]);
  });
});

describe('the decisions', () => {
  const pages = filesIn('docs/adr', '.md').filter((path) => !path.endsWith('README.md'));

  test('are numbered without gaps', () => {
    const numbers = pages.map((path) => path.slice('docs/adr/'.length, 'docs/adr/'.length + 4));
    expect(numbers).toEqual(pages.map((_, place) => String(place + 1).padStart(4, '0')));
  });

  test.each(pages)('all have the same form: %s', (path) => {
    const text = read(path);
    const [title = '', blank, status = ''] = text.split('\n');
    expect(title).toMatch(new RegExp(`^# ${Number(path.slice('docs/adr/'.length, 'docs/adr/'.length + 4))}\\. `));
    expect(blank).toBe('');
    expect(status).toMatch(/^Status: (accepted$|replaced by \[)/);
    const sections = headingsOf(text.replaceAll('\n### ', '\n')).slice(1);
    expect(sections.filter((section) => section !== 'Alternatives')).toEqual(['Context', 'Decision', 'Consequences']);
    expect(sections.indexOf('Alternatives') === -1 || sections.indexOf('Alternatives') === 2).toBe(true);
  });

  test('are all listed by their titles', () => {
    const listed = read('docs/adr/README.md')
      .split('\n')
      .filter((line) => /^\| \[\d+\]/.test(line))
      .map((line) => line.split(' | ').slice(0, 2).join(' | '));
    const expected = pages.map((path) => {
      const [number = '', title = ''] = (headingsOf(read(path))[0] ?? '').split(/\. (.*)/);
      return `| [${number}](${path.slice('docs/adr/'.length)}) | ${title}`;
    });
    expect(listed).toEqual(expected);
  });
});

describe('the table of patches', () => {
  const rows = read('docs/WORKFLOW-CHANGES.md')
    .split('\n')
    .map((line) => line.split('|').map((cell) => cell.trim()))
    .filter(([, name = '', kind]) => name.startsWith('`') && (kind === 'patch' || kind === 'input field'))
    .map(([, name = '', kind = '', where = '']) => ({ name: name.replaceAll('`', ''), kind, where }));
  const sources = filesIn('workflows', '.ts').map((file) => ({ file, text: read(file) }));

  test('lists every patch in the code with its file, and nothing else', () => {
    const inCode = sources.flatMap(({ file, text }) =>
      [...text.matchAll(/\b(?:deprecatePatch|patched)\('([^']+)'\)/g)].map(([, name]) => `${name} ${file}`),
    );
    expect(inCode.length).toBeGreaterThan(0);
    const inTable = rows.filter(({ kind }) => kind === 'patch').map(({ name, where }) => `${name} ${where}`);
    expect(inTable.sort()).toEqual(inCode.sort());
  });

  test('is checked against every call in the code', () => {
    const calls = sources.flatMap(({ text }) => [...text.matchAll(/\b(?:deprecatePatch|patched)\(/g)]);
    expect(calls).toHaveLength(rows.filter(({ kind }) => kind === 'patch').length);
  });

  test.each(rows.filter(({ kind }) => kind === 'input field'))('names an input field that exists: $name', (row) => {
    for (const file of row.where.split(', ')) expect(read(file)).toMatch(new RegExp(`\\b${row.name}\\b`));
  });
});
