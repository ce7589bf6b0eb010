/**
 * Books in memory, and the file of facts that they are made of: one JSON line each, never rewritten. A fact counts once its
 * line is on the disk: what the sandbox answers has always been flushed before, so that a kill at any instruction loses
 * nothing that was acknowledged. Where a line cannot be written, the books go back to what the file says, and refuse
 * everything until there is room.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from './report.js';

/** Books are changed by facts alone, so that the same facts always make the same books. */
export interface Books<Fact, Posted> {
  post(fact: Fact): Posted;
}

/** The books cannot be written at the moment: nothing may be answered from them. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

/** How often a failed journal looks for room. */
const retryMs = 250;
const roomBytes = 64 * 1024;

/** Books that are what their journal says. */
export class Journaled<Fact, Posted, B extends Books<Fact, Posted>> {
  private current: B;
  private readonly journal: GroupCommit<Fact>;

  private constructor(opened: { books: B; sound: number }, file: FileHandle, path: string, reload: () => Promise<B>) {
    this.current = opened.books;
    this.journal = new GroupCommit<Fact>(file, path, opened.sound, async () => {
      this.current = await reload();
    });
  }

  /**
   * Opens the journal at `path` and posts every fact in it, in the order written, to empty books.
   * A last line that was cut off by a kill was never acknowledged: it is dropped. A broken line anywhere else is an error.
   * @param parse turns a line's JSON back into a fact; throws where it is none
   */
  static async open<Fact, Posted, B extends Books<Fact, Posted>>(
    path: string,
    parse: (json: unknown) => Fact,
    empty: () => B,
  ): Promise<Journaled<Fact, Posted, B>> {
    const load = async () => {
      const books = empty();
      return { books, sound: await readFacts(path, parse, (fact) => books.post(fact)) };
    };
    await mkdir(dirname(path), { recursive: true });
    const file = await open(path, 'a+');
    try {
      const opened = await load();
      await file.truncate(opened.sound);
      await file.sync();
      await syncFolder(dirname(path));
      return new Journaled(opened, file, path, async () => (await load()).books);
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** The books as they are now: ahead of the disk, until `settled`. */
  get books(): B {
    return this.current;
  }

  /** Whether facts can be written. */
  get writable(): boolean {
    return this.journal.failure === null;
  }

  /** Resolves when the fact, and every fact before it, is in the books and on the disk. Rejects with NotWritten. */
  async post(fact: Fact): Promise<Posted> {
    if (this.journal.failure) throw this.journal.failure;
    const posted = this.current.post(fact);
    await this.journal.append(fact);
    return posted;
  }

  /** Resolves when every fact posted so far is on the disk. Rejects with NotWritten. */
  settled(): Promise<void> {
    return this.journal.settled();
  }

  /** Flushes and closes. */
  close(): Promise<void> {
    return this.journal.close();
  }
}

/** Replays the facts; returns the length in bytes of the part of the file that is whole. */
async function readFacts<Fact>(
  path: string,
  parse: (json: unknown) => Fact,
  replay: (fact: Fact) => void,
): Promise<number> {
  let rest = Buffer.alloc(0);
  let sound = 0;
  let lines = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 1024 * 1024 })) {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    let start = 0;
    for (let end = rest.indexOf(10); end !== -1; end = rest.indexOf(10, start)) {
      lines++;
      try {
        replay(parse(JSON.parse(rest.toString('utf8', start, end))));
      } catch (error) {
        throw new Error(`${path} is broken at line ${lines}: ${error instanceof Error ? error.message : error}`);
      }
      sound += end + 1 - start;
      start = end + 1;
    }
    rest = rest.subarray(start);
  }
  return sound;
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r');
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

interface Batch {
  lines: string;
  readonly flushed: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What arrives while one flush is under way goes into the next, so that many callers share one fdatasync. */
class GroupCommit<Fact> {
  private gathering: Batch | null = null;
  private flushing: Batch | null = null;
  private recovering: Promise<void> | null = null;
  private closing = false;
  /** Why nothing can be written; null where all is well. */
  failure: NotWritten | null = null;

  /**
   * @param sound length of the file in bytes up to the last fact that is on the disk
   * @param reload brings the books back to what the file says
   */
  constructor(
    private readonly file: FileHandle,
    private readonly path: string,
    private sound: number,
    private readonly reload: () => Promise<void>,
  ) {}

  append(fact: Fact): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    this.gathering ??= newBatch();
    this.gathering.lines += `${JSON.stringify(fact)}\n`;
    const { flushed } = this.gathering;
    if (!this.flushing) void this.flush();
    return flushed;
  }

  settled(): Promise<void> {
    if (this.failure) return Promise.reject(this.failure);
    return (this.gathering ?? this.flushing)?.flushed ?? Promise.resolve();
  }

  async close(): Promise<void> {
    this.closing = true;
    // What could not be written was refused to its callers: it keeps nobody from closing.
    await this.settled().catch(() => undefined);
    await this.recovering;
    await this.file.close();
  }

  private async flush(): Promise<void> {
    while (this.gathering) {
      const batch = this.gathering;
      this.flushing = batch;
      this.gathering = null;
      try {
        await this.file.appendFile(batch.lines);
        await this.file.datasync();
        this.sound += Buffer.byteLength(batch.lines);
        batch.resolve();
      } catch (error) {
        await this.fail(error, batch);
      }
    }
    this.flushing = null;
  }

  /** Memory is ahead of the disk now: nothing may be answered from it before it has been reloaded. */
  private async fail(error: unknown, batch: Batch): Promise<void> {
    this.failure = new NotWritten(`${this.path} cannot be written: ${error instanceof Error ? error.message : error}`);
    report(`${this.failure.message}; calls get 503 until it can`);
    // Cut off first, if that can be done: then what is refused is not in the file.
    await this.file.truncate(this.sound).catch(() => undefined);
    for (const failed of [batch, this.gathering]) failed?.reject(this.failure);
    this.gathering = null;
    this.recovering = this.recover(Math.max(roomBytes, Buffer.byteLength(batch.lines)));
  }

  private async recover(neededBytes: number): Promise<void> {
    for (; !this.closing; await sleep(retryMs)) {
      try {
        await this.file.truncate(this.sound);
        await this.proveRoom(neededBytes);
        await this.reload();
        this.failure = null;
        report(`${this.path} can be written again`);
        return;
      } catch {
        // Still no room.
      }
    }
  }

  /** Writes blanks and takes them back. They end no line, so that a kill in between leaves a last line that is cut off. */
  private async proveRoom(bytes: number): Promise<void> {
    try {
      await this.file.appendFile(' '.repeat(bytes));
      await this.file.datasync();
    } finally {
      await this.file.truncate(this.sound);
    }
  }
}

function newBatch(): Batch {
  const { promise, resolve, reject } = withResolvers();
  // Its callers hear of it; a batch whose callers went away must not end the process.
  promise.catch(() => undefined);
  return { lines: '', flushed: promise, resolve, reject };
}

/** Promise.withResolvers, which Node 20 does not have. */
function withResolvers() {
  let resolve: () => void = () => undefined;
  let reject: (error: unknown) => void = () => undefined;
  const promise = new Promise<void>((onResolve, onReject) => {
    resolve = onResolve;
    reject = onReject;
  });
  return { promise, resolve, reject };
}
