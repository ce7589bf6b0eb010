/** The mail server over SMTP, also with mails in the formats of other programs. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createTransport } from 'nodemailer';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type Sandbox, startSandbox } from '../server.js';
import type { StoredMail } from './mailbox.js';

let home: string;
let sandbox: Sandbox;
let serial = 0;
let to: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'mail-'));
  sandbox = await startSandbox({ home, httpPort: 0, smtpPort: 0 });
});
afterAll(async () => {
  await sandbox.close();
  await rm(home, { recursive: true });
});
beforeEach(() => {
  to = `customer-${++serial}@example.com`;
});

const transport = () => createTransport({ host: '127.0.0.1', port: sandbox.smtpPort, ignoreTLS: true });
const arrived = async (address = to): Promise<StoredMail[]> => {
  const response = await fetch(`${sandbox.url}/mail?to=${encodeURIComponent(address)}`);
  return JSON.parse(await response.text());
};

/** Sends a mail unchanged. */
async function sendRaw(message: string): Promise<void> {
  const envelope = { from: 'shop@example.com', to };
  await transport().sendMail({ envelope, raw: message.replaceAll('\n', '\r\n') });
}

describe('the mail server', () => {
  it.each([
    ['plain', 'Receipt for ord_1', 'Thank you.\n'],
    ['umlauts and emoji', 'Grüße aus Zürich 👋', 'Das kostet 19,99 €.\n'],
    ['a very long subject', 'ä'.repeat(300), 'x\n'],
    ['lines of dots, equal signs and spaces at the end', 'a=b', '.\n..\n=20 stays \nend\n'],
    ['long lines', 's', `${'wörter '.repeat(500)}\n`],
  ])('stores %s exactly as it was written', async (_what, subject, text) => {
    await transport().sendMail({ from: 'shop@example.com', to, subject, text });
    const [mail] = await arrived();
    expect(mail).toMatchObject({ to, subject, text });
    expect(Math.abs(Date.now() - Date.parse(mail?.at ?? ''))).toBeLessThan(10_000);
  });

  it('reads base64, quoted-printable, other character sets and multipart mails', async () => {
    await sendRaw(
      [
        'Subject: =?iso-8859-1?Q?Gr=FC=DFe?= =?utf-8?B?IPCfkYs=?=',
        'MIME-Version: 1.0',
        'Content-Type: multipart/alternative; boundary="b"',
        '',
        '--b',
        'Content-Type: text/plain; charset=iso-8859-1',
        'Content-Transfer-Encoding: quoted-printable',
        '',
        'f=FCnf=20=',
        'Euro',
        '--b',
        'Content-Type: text/html',
        '',
        '<b>html</b>',
        '--b--',
        '',
      ].join('\n'),
    );
    const [mail] = await arrived();
    expect(mail?.subject).toBe('Grüße 👋');
    expect(mail?.text.trim()).toBe('fünf Euro');
    expect(mail?.messageId).toBeNull();
  });

  it('drops further copies with the same Message-ID, even if they arrive at once', async () => {
    const mail = { from: 'shop@example.com', to, subject: 'once', text: 'x', messageId: `<once-${serial}@test>` };
    await Promise.all([transport().sendMail(mail), transport().sendMail(mail), transport().sendMail(mail)]);
    await transport().sendMail(mail);
    expect(await arrived()).toHaveLength(1);
    await transport().sendMail({ ...mail, messageId: `<twice-${serial}@test>` });
    expect(await arrived()).toHaveLength(2);
  });

  it('keeps every mail without a Message-ID', async () => {
    for (let n = 0; n < 2; n++) await sendRaw('Subject: bare\n\nbody\n');
    expect(await arrived()).toHaveLength(2);
  });

  it('gives each recipient of one mail a copy', async () => {
    const other = `other-${serial}@example.com`;
    await transport().sendMail({ from: 'shop@example.com', to: [to, other], subject: 's', text: 't' });
    expect([await arrived(to), await arrived(other)].map((mails) => mails.length)).toEqual([1, 1]);
  });

  it('refuses a mail that is too large, and stores nothing of it', async () => {
    const sent = transport().sendMail({ from: 'shop@example.com', to, subject: 's', text: 'x'.repeat(1_200_000) });
    await expect(sent).rejects.toMatchObject({ responseCode: 552 });
    expect(await arrived()).toEqual([]);
  });

  it('stores nothing of a mail whose sender disconnects in the middle', async () => {
    const socket = connect(sandbox.smtpPort, '127.0.0.1');
    socket.on('error', () => undefined);
    const lines = ['EHLO x', 'MAIL FROM:<a@example.com>', `RCPT TO:<${to}>`, 'DATA'];
    for await (const chunk of socket) {
      if (String(chunk).startsWith('354')) break;
      const next = lines.shift();
      if (next !== undefined) socket.write(`${next}\r\n`);
    }
    socket.write('Subject: half\r\n\r\nhal');
    socket.destroy();
    await transport().sendMail({ from: 'shop@example.com', to, subject: 'whole', text: 'x' });
    expect((await arrived()).map(({ subject }) => subject)).toEqual(['whole']);
  });
});
