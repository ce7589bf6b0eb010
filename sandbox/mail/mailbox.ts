/** Mails that arrived, kept in a journal. A copy of a mail that is there already (same Message-ID) is dropped. */
import { join } from 'node:path';
import { z } from 'zod';
import { type Journal, openJournal } from '../journal.js';

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
  private constructor(
    private readonly shelf: Shelf,
    private readonly journal: Journal<StoredMail>,
  ) {}

  static async open(home: string): Promise<Mailbox> {
    const shelf = new Shelf();
    const journal = await openJournal(join(home, 'mail.jsonl'), mail.parse, (entry) => shelf.put(entry));
    return new Mailbox(shelf, journal);
  }

  /** Resolves when the mail, or the copy that came before it, is on the disk. */
  async deliver(entry: StoredMail): Promise<void> {
    if (this.shelf.has(entry)) return this.journal.settled();
    this.shelf.put(entry);
    await this.journal.append(entry);
  }

  /** Oldest first; `to` matches whatever its case. */
  async list(to?: string): Promise<readonly StoredMail[]> {
    const mails = this.shelf.list(to);
    await this.journal.settled();
    return mails;
  }

  close(): Promise<void> {
    return this.journal.close();
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

  put(entry: StoredMail): void {
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
