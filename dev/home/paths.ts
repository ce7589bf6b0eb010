/** Where the project and the running build lie on the disk. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** The folder that this code runs from: `dist/<hash>`, or the project itself under tsx and vitest. */
export const buildRoot = dirname(dirname(here));

/** The folder of package.json: what is not compiled (migrations, documents) lies below it. */
export const projectRoot = folderAbove('package.json');

function folderAbove(file: string): string {
  for (let folder = buildRoot; ; folder = dirname(folder)) {
    if (existsSync(join(folder, file))) return folder;
    if (folder === dirname(folder)) throw new Error(`no ${file} above ${here}`);
  }
}
