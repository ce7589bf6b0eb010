/**
 * A file of facts, one JSON line each, that is never rewritten. A fact counts once its line is on the disk: what the
 * sandbox answers has always been flushed before, so that a kill at any instruction loses nothing that was acknowledged.
 */
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open } from 'node:fs/promises';
import { dirname } from 'node:path';

export interface Journal<Fact> {
  /** Resolves when the fact, and every fact before it, is on the disk. */
  append(fact: Fact): Promise<void>;
  /** Resolves when every fact appended so far is on the disk. */
  settled(): Promise<void>;
  /** Flushes and closes. */
  close(): Promise<void>;
}

/**
 * Opens the journal at `path`, hands every fact in it to `replay` in the order written, and goes on after the last one.
 * A last line that was cut off by a kill was never acknowledged: it is dropped. A broken line anywhere else is an error.
 * @param parse turns a line's JSON back into a fact; throws where it is none
 */
export async function openJournal<Fact>(
  path: string,
  parse: (json: unknown) => Fact,
  replay: (fact: Fact) => void,
): Promise<Journal<Fact>> {
  await mkdir(dirname(path), { recursive: true });
  const file = await open(path, 'a+');
  try {
    const sound = await readFacts(path, parse, replay);
    await file.truncate(sound);
    await file.sync();
    await syncFolder(dirname(path));
  } catch (error) {
    await file.close();
    throw error;
  }
  return new GroupCommit<Fact>(file);
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
  await folder.sync().finally(() => folder.close());
}

interface Batch {
  lines: string;
  readonly flushed: Promise<void>;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** What arrives while one flush is under way goes into the next, so that many callers share one fdatasync. */
class GroupCommit<Fact> implements Journal<Fact> {
  private gathering: Batch | null = null;
  private flushing: Batch | null = null;
  private broken: Error | null = null;

  constructor(private readonly file: FileHandle) {}

  append(fact: Fact): Promise<void> {
    if (this.broken) return Promise.reject(this.broken);
    this.gathering ??= newBatch();
    this.gathering.lines += `${JSON.stringify(fact)}\n`;
    const { flushed } = this.gathering;
    if (!this.flushing) void this.flush();
    return flushed;
  }

  settled(): Promise<void> {
    if (this.broken) return Promise.reject(this.broken);
    return (this.gathering ?? this.flushing)?.flushed ?? Promise.resolve();
  }

  async close(): Promise<void> {
    await this.settled().finally(() => this.file.close());
  }

  private async flush(): Promise<void> {
    while (this.gathering) {
      const batch = this.gathering;
      this.flushing = batch;
      this.gathering = null;
      try {
        await this.file.appendFile(batch.lines);
        await this.file.datasync();
        batch.resolve();
      } catch (error) {
        // Memory is now ahead of the disk: nothing may be answered from it any more.
        this.broken = new Error(`the journal cannot be written: ${error instanceof Error ? error.message : error}`);
        for (const failed of [batch, this.gathering]) failed?.reject(this.broken);
        this.gathering = null;
      }
    }
    this.flushing = null;
  }
}

function newBatch(): Batch {
  const { promise, resolve, reject } = withResolvers();
  // Whoever appended hears of it; a batch whose callers went away must not end the process.
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
