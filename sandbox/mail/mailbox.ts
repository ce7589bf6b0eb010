/** Stores received mails in a journal. Drops a copy of a stored mail (same Message-ID). */
import { join } from 'node:path';
import { z } from 'zod';
import { Journaled } from '../journal.js';

const mail = z.strictObject({
  /** The recipient in the envelope: a mail to two recipients is stored twice. */
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  /** RFC 3339, when it arrived. */
  at: z.string(),
  /** Null if the sender set none. */
  messageId: z.string().nullable(),
});
export type StoredMail = z.infer<typeof mail>;

export class Mailbox {
  private constructor(private readonly kept: Journaled<StoredMail, void, Shelf>) {}

  static async open(home: string): Promise<Mailbox> {
    return new Mailbox(await Journaled.open(join(home, 'mail.jsonl'), mail.parse, () => new Shelf()));
  }

  /** Whether mails can be stored now. */
  get writable(): boolean {
    return this.kept.writable;
  }

  /** Resolves when the mail, or its earlier copy, is on disk. */
  async deliver(entry: StoredMail): Promise<void> {
    await (this.kept.books.has(entry) ? this.kept.settled() : this.kept.post(entry));
  }

  /** Oldest first. `to` ignores case. */
  async list(to?: string): Promise<readonly StoredMail[]> {
    const mails = this.kept.books.list(to);
    await this.kept.settled();
    return mails;
  }

  close(): Promise<void> {
    return this.kept.close();
  }
}

/** The mails in memory. */
class Shelf {
  private readonly mails: StoredMail[] = [];
  private readonly known = new Set<string>();

  has(entry: StoredMail): boolean {
    const key = copyKey(entry);
    return key !== null && this.known.has(key);
  }

  post(entry: StoredMail): void {
    this.mails.push(entry);
    const key = copyKey(entry);
    if (key !== null) this.known.add(key);
  }

  list(to?: string): readonly StoredMail[] {
    const recipient = to?.toLowerCase();
    return this.mails.filter((entry) => recipient === undefined || entry.to.toLowerCase() === recipient);
  }
}

function copyKey({ messageId, to }: StoredMail): string | null {
  return messageId === null ? null : `${messageId} ${to.toLowerCase()}`;
}
