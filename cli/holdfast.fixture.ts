/** Runs the command in this process, against a server that always gives the same answer. */
import { createServer } from 'node:http';
import { main } from './main.js';

interface ScriptedAnswer {
  readonly status: number;
  readonly body: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** What the command sent. */
interface Sent {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly body: unknown;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly sent: readonly Sent[];
}

export const answered = (status: number, body: unknown, headers: Record<string, string> = {}): ScriptedAnswer => ({
  status,
  body,
  headers,
});

/** `holdfast <args>`, in this folder. */
export async function holdfast(args: readonly string[], answer: ScriptedAnswer, currentFolder = '/'): Promise<Ran> {
  const sent: Sent[] = [];
  const server = createServer((req, res) => {
    let text = '';
    req.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    req.on('end', () => {
      const { method, url: path, headers } = req;
      sent.push({ method, path, headers, body: text === '' ? null : JSON.parse(text) });
      res.writeHead(answer.status, answer.headers).end(JSON.stringify(answer.body));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const [out, err]: [string[], string[]] = [[], []];
  try {
    const code = await main(args, {
      env: { HOLDFAST_API_URL: `http://127.0.0.1:${port}`, HOLDFAST_API_KEY: 'k' },
      currentFolder,
      projectRoot: '/',
      version: '0.0.0',
      terminal: { out: (text) => void out.push(text), err: (text) => void err.push(text), interactive: false },
    });
    return { code, out: out.join(''), err: err.join(''), sent };
  } finally {
    server.closeAllConnections();
    await new Promise((closed) => server.close(closed));
  }
}
