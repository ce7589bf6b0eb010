/** A proxy before an HTTP server that counts requests, loses some, and can answer in the server's place. */
import { once } from 'node:events';
import { Agent, createServer, request, type ServerResponse } from 'node:http';

/** `nothing`: no answer at all. `drip`: an answer that never ends. */
export type ScriptedAnswer = { readonly status: number; readonly body: string } | 'nothing' | 'drip';

export interface Tap {
  /** Of the server, through the tap. */
  readonly url: string;
  /** How many have arrived here. */
  requests(): number;
  /** Loses the next `count` requests after letting `first` pass: the server never sees them. */
  readonly loseRequests: (count: number, first?: number) => void;
  /** Loses the answers to the next `count` requests after letting `first` pass: the server has handled them. */
  readonly loseAnswers: (count: number, first?: number) => void;
  /** Answers every request so, without asking the server; null: as the server does. */
  answerWith(answer: ScriptedAnswer | null): void;
  close(): Promise<void>;
}

export async function openTap(target: string): Promise<Tap> {
  const { hostname, port, pathname } = new URL(target);
  const prefix = pathname.replace(/\/$/, '');
  const lost = { requests: { count: 0, first: 0 }, answers: { count: 0, first: 0 } };
  let arrived = 0;
  let scripted: ScriptedAnswer | null = null;

  const loses = (what: { count: number; first: number }): boolean => {
    if (what.count === 0) return false;
    if (what.first > 0) {
      what.first--;
      return false;
    }
    what.count--;
    return true;
  };

  // No connection ends by itself: on a busy machine it would end under a request.
  const agent = new Agent({ keepAlive: false });
  const server = createServer({ keepAliveTimeout: 0 }, (req, res) => {
    arrived++;
    if (scripted !== null) {
      answerAs(res, scripted);
      return;
    }
    if (loses(lost.requests)) {
      res.destroy();
      return;
    }
    const withoutAnswer = loses(lost.answers);
    const { method, headers } = req;
    const forwarded = request({ hostname, port, path: prefix + (req.url ?? '/'), method, headers, agent }, (answer) => {
      if (withoutAnswer) {
        answer.resume();
        answer.once('end', () => res.destroy());
        return;
      }
      res.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(res);
    });
    forwarded.once('error', () => res.destroy());
    req.pipe(forwarded);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('the tap does not listen');
  return {
    url: `http://127.0.0.1:${address.port}`,
    requests: () => arrived,
    loseRequests: (count, first = 0) => Object.assign(lost.requests, { count, first }),
    loseAnswers: (count, first = 0) => Object.assign(lost.answers, { count, first }),
    answerWith: (answer) => {
      scripted = answer;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

function answerAs(res: ServerResponse, scripted: ScriptedAnswer): void {
  if (scripted === 'nothing') return;
  if (scripted !== 'drip') {
    res.writeHead(scripted.status, { 'content-type': 'application/json' }).end(scripted.body);
    return;
  }
  res.writeHead(200, { 'content-type': 'application/json' });
  const timer = setInterval(() => res.write(' '), 50);
  res.once('close', () => clearInterval(timer));
}
