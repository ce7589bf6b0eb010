/** Calls over HTTP: a single one, or many from concurrent clients. */
import autocannon from 'autocannon';
import type { Timing } from './empty.js';
import type { Target } from './table.js';

const headersFor = ({ apiKey }: Target) => ({
  authorization: `Bearer ${apiKey}`,
  'content-type': 'application/json',
});

/** One call that must succeed. */
export async function post(target: Target, path: string, body: unknown): Promise<void> {
  const response = await fetch(`${target.apiUrl}${path}`, {
    method: 'POST',
    headers: headersFor(target),
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
}

export interface Load {
  readonly clients: number;
  /** Total number of calls. */
  readonly amount: number;
  /** The bodies that each client sends in turn. */
  readonly bodies: readonly unknown[];
  /** Each client begins at another body. Absent: all begin at the first. */
  readonly apart?: true;
}

/** Calls that must all succeed. Measures from the first call to the last answer. */
export async function load(target: Target, path: string, { clients, amount, bodies, apart }: Load): Promise<Timing> {
  const requests = bodies.map((body) => ({ body: JSON.stringify(body) }));
  let started = 0;
  const beginApart = (client: autocannon.Client) => {
    const first = Math.floor((started++ * requests.length) / clients);
    client.setRequests([...requests.slice(first), ...requests.slice(0, first)]);
  };
  const began = performance.now();
  // autocannon rounds its duration up to a whole second.
  let answered = began;
  const result = await new Promise<autocannon.Result>((resolve, reject) => {
    autocannon(
      {
        url: `${target.apiUrl}${path}`,
        method: 'POST',
        connections: clients,
        amount,
        timeout: 60,
        headers: { ...headersFor(target), prefer: 'wait=30' },
        requests,
        ...(apart && { setupClient: beginApart }),
      },
      (error, done) => (error ? reject(error) : resolve(done)),
    ).on('response', () => {
      answered = performance.now();
    });
  });
  const failed = result.non2xx + result.errors + result.timeouts;
  if (failed > 0) throw new Error(`${failed} of ${amount} calls of ${path} failed`);
  const { p50, p99 } = result.latency;
  return { perSecond: (amount * 1000) / (answered - began), p50, p99 };
}
