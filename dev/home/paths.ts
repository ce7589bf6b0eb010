/** The folders of the project and of the running build. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The folder this code runs from: `dist/<hash>`, or the project itself under tsx and vitest. */
export const buildRoot = dirname(dirname(here));

/** The folder of package.json, with everything that is not compiled (migrations, documents). */
export const projectRoot = folderAbove('package.json');

function folderAbove(file: string): string {
  for (let folder = buildRoot; ; folder = dirname(folder)) {
    if (existsSync(join(folder, file))) return folder;
    if (folder === dirname(folder)) throw new Error(`no ${file} above ${here}`);
  }
}
