/** The fault for each kind of failure, against mail servers that really fail. */
import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { createSmtpMail } from './smtp.js';

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

const portOf = (address: AddressInfo | string | null) =>
  typeof address === 'object' && address !== null ? address.port : 0;

/** A server that greets each connection and answers each line: null sends nothing, undefined closes the connection. */
async function serve(greeting: string | null, answer: (line: string, socket: Socket) => string | null | undefined) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined));
    if (greeting !== null) socket.write(`${greeting}\r\n`);
    socket.on('data', (chunk) => {
      for (const line of chunk.toString().split('\r\n').filter(Boolean)) {
        const reply = answer(line, socket);
        if (reply === undefined) socket.destroy();
        else if (reply !== null) socket.write(`${reply}\r\n`);
      }
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return portOf(server.address());
}

async function send(port: number, timeoutMs = 500, host = '127.0.0.1'): Promise<void> {
  const mail = createSmtpMail({ host, port, from: 'shop@example.com', timeoutMs });
  cleanups.push(() => mail.close());
  await mail.send({ messageId: '<1@t>', to: 'you@example.com', subject: 's', text: 't' });
}

/** Answers every command as a working server does, except those that start with `verb`. */
const except = (verb: string, reply: string | null | undefined) => {
  let inData = false;
  return (line: string) => {
    if (inData) {
      if (line !== '.') return null;
      inData = false;
      return verb === '.' ? reply : '250 accepted';
    }
    if (line.startsWith(verb)) return reply;
    inData = line === 'DATA';
    return inData ? '354 go on' : '250 fine';
  };
};

describe('the mail gateway', () => {
  it('resolves when the server has accepted the mail', async () => {
    await send(await serve('220 hello', except('nothing', null)), 30_000);
  });

  it('is unreachable if the port is closed or the name does not exist', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const port = portOf(server.address());
    server.close();
    await once(server, 'close');
    await expect(send(port)).rejects.toMatchObject({ name: 'GatewayFault', fault: 'unreachable' });
    await expect(send(25, 5000, 'nowhere.invalid')).rejects.toMatchObject({ fault: 'unreachable' });
  });

  it.each([
    ['never greets', null, except('nothing', null)],
    ['never answers the first command', '220 hello', except('EHLO', null)],
    ['hangs up at DATA', '220 hello', except('DATA', undefined)],
    ['takes the mail and does not answer', '220 hello', except('.', null)],
    ['takes the mail and hangs up', '220 hello', except('.', undefined)],
  ])('gets no answer from a server that %s', async (_what, greeting, answer) => {
    await expect(send(await serve(greeting, answer))).rejects.toMatchObject({
      name: 'GatewayFault',
      fault: 'no_answer',
    });
  });

  it.each([
    ['refuses the recipient', '220 hello', except('RCPT', '550 no such mailbox')],
    ['has no space left', '220 hello', except('.', '452 disk full')],
    ['speaks another protocol', 'SSH-2.0-OpenSSH_9.2', except('nothing', null)],
  ])('gets a server error from a server that %s', async (_what, greeting, answer) => {
    await expect(send(await serve(greeting, answer))).rejects.toMatchObject({ fault: 'server_error' });
  });

  it('gives up at its own time-out', async () => {
    const port = await serve('220 hello', except('.', null));
    const mail = createSmtpMail({ host: '127.0.0.1', port, from: 'shop@example.com', timeoutMs: 60_000 });
    cleanups.push(() => mail.close());
    const letter = { messageId: '<1@t>', to: 'you@example.com', subject: 's', text: 't' };
    await expect(mail.send(letter, { timeoutMs: 200 })).rejects.toMatchObject({ fault: 'no_answer' });
  });
});
