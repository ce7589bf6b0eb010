/** The mail server: accepts every mail on its port and stores it in the mailbox. */
import PostalMime from 'postal-mime';
import { SMTPServer, type SMTPServerDataStream, type SMTPServerSession } from 'smtp-server';
import { NotWritten } from '../journal.js';
import type { Mailbox } from './mailbox.js';

const maxMailBytes = 1024 * 1024;

/** An SMTP server without authentication. The caller starts and closes it. */
export function createSmtpServer(mailbox: Mailbox): SMTPServer {
  return new SMTPServer({
    name: 'sandbox.holdfast',
    size: maxMailBytes,
    authOptional: true,
    disabledCommands: ['AUTH', 'STARTTLS'],
    disableReverseLookup: true,
    closeTimeout: 1000,
    onData: (stream, session, done) => {
      receive(mailbox, stream, session).then(
        () => done(),
        (error: unknown) => done(refusal(error)),
      );
    },
  });
}

async function receive(mailbox: Mailbox, stream: SMTPServerDataStream, session: SMTPServerSession): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) if (!stream.sizeExceeded) chunks.push(chunk);
  if (stream.sizeExceeded) throw Object.assign(new Error(`at most ${maxMailBytes} bytes`), { responseCode: 552 });
  const parsed = await PostalMime.parse(Buffer.concat(chunks));
  const at = new Date().toISOString();
  await Promise.all(
    session.envelope.rcptTo.map(({ address }) =>
      mailbox.deliver({
        to: address,
        subject: parsed.subject ?? '',
        text: parsed.text ?? '',
        at,
        messageId: parsed.messageId ?? null,
      }),
    ),
  );
}

/** The error for a mail that cannot be stored. 452, insufficient storage, asks the sender to retry. */
function refusal(error: unknown): Error {
  if (error instanceof NotWritten) return Object.assign(new Error('no room for mail'), { responseCode: 452 });
  return error instanceof Error ? error : new Error(String(error));
}
