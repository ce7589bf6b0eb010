/**
 * Books in memory, built from a file of facts: one JSON line each, never rewritten. A fact counts once its line is on
 * disk. The sandbox flushes before it answers, so a kill at any instruction loses nothing that was acknowledged. If a
 * line cannot be written, the books are reloaded from the file, and refuse everything until there is room.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { report } from './report.js';

/** Only facts change books, so that the same facts always produce the same books. */
export interface Books<Fact, Posted> {
  post(fact: Fact): Posted;
}

/** The books cannot be written now, so nothing may be answered from them. */
export class NotWritten extends Error {
  override readonly name = 'NotWritten';
}

/** How often a failed journal checks for room. */
const retryMs = 250;
const roomBytes = 64 * 1024;

/** Books together with their journal. */
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
   * Opens the journal at `path` and posts its facts, in the order written, to empty books. Drops a last line that a
   * kill has truncated, since it was never acknowledged. Throws if any other line is broken.
   * @param parse turns the JSON of a line into a fact; throws if it is none
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

  /** The current books. They are ahead of the disk until `settled`. */
  get books(): B {
    return this.current;
  }

  /** Whether facts can be written now. */
  get writable(): boolean {
    return this.journal.failure === null;
  }

  /** Resolves when the fact, and every fact before it, is in the books and on disk. Rejects with NotWritten. */
  async post(fact: Fact): Promise<Posted> {
    if (this.journal.failure) throw this.journal.failure;
    const posted = this.current.post(fact);
    await this.journal.append(fact);
    return posted;
  }

  /** Resolves when every fact posted so far is on disk. Rejects with NotWritten. */
  settled(): Promise<void> {
    return this.journal.settled();
  }

  /** Flushes and closes. */
  close(): Promise<void> {
    return this.journal.close();
  }
}

/** Replays the facts. Returns the length in bytes of all complete lines. */
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

/** Facts that arrive during a flush go into the next one, so that many callers share one fdatasync. */
class GroupCommit<Fact> {
  private gathering: Batch | null = null;
  private flushing: Batch | null = null;
  private recovering: Promise<void> | null = null;
  private closing = false;
  /** Why nothing can be written; null if it can. */
  failure: NotWritten | null = null;

  /**
   * @param sound length of the file in bytes up to the last fact on disk
   * @param reload rebuilds the books from the file
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
    // Facts that could not be written were refused to their callers, and do not prevent closing.
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

  /** Memory is ahead of the disk now, so nothing may be answered from it until it is reloaded. */
  private async fail(error: unknown, batch: Batch): Promise<void> {
    this.failure = new NotWritten(`${this.path} cannot be written: ${error instanceof Error ? error.message : error}`);
    report(`${this.failure.message}; calls get 503 until it can`);
    // Truncates first, if possible, so that the file does not contain what is refused.
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

  /** Writes blanks and removes them. They end no line, so a kill in between leaves only a truncated last line. */
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
  // Callers see the rejection; a batch whose callers are gone must not crash the process.
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
