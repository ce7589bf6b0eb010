/** Where the operations of a bulk come from: a file, or a stream such as standard input. */
import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { resolve } from 'node:path';

/** About a million operations. */
const maxSourceBytes = 64 * 1024 * 1024;

export type Source =
  | {
      readonly kind: 'content';
      readonly content: Buffer;
      /** The file it was read from; null for a stream, next to which nothing can be written. */
      readonly path: string | null;
    }
  | { readonly kind: 'wrong'; readonly problem: string };

/** Reads all of it. `file` is relative to `currentFolder`; `-` is standard input. */
export async function readSource(file: string, currentFolder: string): Promise<Source> {
  const path = file === '-' ? null : resolve(currentFolder, file);
  const name = path ?? 'standard input';
  try {
    const found = path === null ? null : await stat(path);
    if (found?.isDirectory()) return { kind: 'wrong', problem: `${name} is a folder` };
    const content = await readBounded(path === null ? process.stdin : createReadStream(path));
    if (content === null) return { kind: 'wrong', problem: `${name} is larger than 64 MiB: split it` };
    // Redirected standard input looks like a file: /dev/stdin, /dev/fd/0, /proc/self/fd/0.
    const isFile = path !== null && found?.isFile() === true && !/^\/(dev|proc)\//.test(path);
    return { kind: 'content', content, path: isFile ? path : null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : null;
    if (code === 'ENOENT') return { kind: 'wrong', problem: `there is no file ${name}` };
    return { kind: 'wrong', problem: `cannot read ${name}: ${error instanceof Error ? error.message : error}` };
  }
}

/** Null if there is more than `maxSourceBytes`. */
async function readBounded(stream: NodeJS.ReadableStream): Promise<Buffer | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of stream) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    if (size > maxSourceBytes) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}

export type Decoded =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'wrong'; readonly problem: string };

/**
 * Decodes UTF-8, or UTF-16 that begins with a byte order mark, as spreadsheets save it; drops the mark. Refuses anything
 * else, since a wrong guess would change cells.
 */
export function decode(content: Buffer): Decoded {
  if (content.length === 0) return wrong('the file is empty');
  if (startsWith(content, [0xff, 0xfe, 0, 0]) || startsWith(content, [0, 0, 0xfe, 0xff]))
    return wrong('the file is UTF-32: save it as UTF-8');
  const encoding = startsWith(content, [0xff, 0xfe])
    ? 'utf-16le'
    : startsWith(content, [0xfe, 0xff])
      ? 'utf-16be'
      : 'utf-8';
  try {
    const text = new TextDecoder(encoding, { fatal: true }).decode(content);
    if (!text.includes('\0')) return { kind: 'text', text };
    return wrong(
      encoding === 'utf-8'
        ? 'the file holds NUL bytes, as UTF-16 without a byte order mark does: save it as UTF-8'
        : 'the file holds NUL characters: it is not CSV',
    );
  } catch {
    return wrong(
      encoding === 'utf-8'
        ? 'the file is not UTF-8 (it may be Latin-1 or Windows-1252): save it as UTF-8'
        : 'the file is UTF-16, but truncated or damaged: save it as UTF-8',
    );
  }
}

function startsWith(content: Buffer, mark: readonly number[]): boolean {
  return mark.every((byte, at) => content[at] === byte);
}

function wrong(problem: string): Decoded {
  return { kind: 'wrong', problem };
}
