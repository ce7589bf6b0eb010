/** Mails that arrived, kept in a journal. A copy of a mail that is there already (same Message-ID) is dropped. */
import { join } from 'node:path';
import { z } from 'zod';
import { Journaled } from '../journal.js';

const mail = z.strictObject({
  /** The envelope's recipient: one mail to two recipients is two. */
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  /** RFC 3339, when it arrived. */
  at: z.string(),
  /** Null where the sender gave none. */
  messageId: z.string().nullable(),
});
export type StoredMail = z.infer<typeof mail>;

export class Mailbox {
  private constructor(private readonly kept: Journaled<StoredMail, void, Shelf>) {}

  static async open(home: string): Promise<Mailbox> {
    return new Mailbox(await Journaled.open(join(home, 'mail.jsonl'), mail.parse, () => new Shelf()));
  }

  /** Whether mails can be taken in at the moment. */
  get writable(): boolean {
    return this.kept.writable;
  }

  /** Resolves when the mail, or the copy that came before it, is on the disk. */
  async deliver(entry: StoredMail): Promise<void> {
    await (this.kept.books.has(entry) ? this.kept.settled() : this.kept.post(entry));
  }

  /** Oldest first; `to` matches whatever its case. */
  async list(to?: string): Promise<readonly StoredMail[]> {
    const mails = this.kept.books.list(to);
    await this.kept.settled();
    return mails;
  }

  close(): Promise<void> {
    return this.kept.close();
  }
}

/** The mails in memory, as the journal says. */
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
    const wanted = to?.toLowerCase();
    return this.mails.filter((entry) => wanted === undefined || entry.to.toLowerCase() === wanted);
  }
}

function copyKey({ messageId, to }: StoredMail): string | null {
  return messageId === null ? null : `${messageId} ${to.toLowerCase()}`;
}
