/**
 * Every pattern and every parser takes linear time. All patterns in the code are analysed, so a new one cannot be
 * forgotten. Every body of the API and every text scanner is fed its worst characters: 256 KiB of them may take about four
 * times as long as 64 KiB.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { analyse } from 'scslre';
import ts from 'typescript';
import { afterAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { loneDeps } from '../../api/app.fixture.js';
import { apiRoutes } from '../../api/app.js';
import { urlHoldsCardNumber } from '../../api/http/card-url.js';
import { canonicalPath } from '../../api/http/paths.js';
import { anyTime } from '../../api/http/schemas.js';
import { fieldErrors } from '../../api/http/validation.js';
import { addressGroup } from '../../api/middleware/address-group.js';
import { requestHash } from '../../api/middleware/idempotency.js';
import { acceptRefusal, contentTypeRefusal } from '../../api/middleware/media.js';
import { parseCsv } from '../../cli/bulk/csv.js';
import { readBulkFile } from '../../cli/bulk/file.js';
import { ResultFile } from '../../cli/bulk/results.js';
import { decode } from '../../cli/bulk/source.js';
import { findConnection } from '../../cli/connection/settings.js';
import { metadataEntry, orderCharge, orderLine, postalAddress } from '../../cli/terminal/order-values.js';
import { fields, moment, preciseMoment, printable } from '../../cli/terminal/output.js';
import { code, idempotencyKey } from '../../cli/terminal/values.js';
import { readApiKey } from '../../db/access/api-keys.js';
import { decodeCursor } from '../../db/postgres/page.js';
import { rfc3339 } from '../../db/postgres/time.js';
import { projectRoot } from '../../dev/home/paths.js';
import { isClientUrl, parseAllowedHost, parseClientUrl } from '../../domain/addresses.js';
import { holdsCardNumber, valueHoldsCardNumber } from '../../domain/cards/numbers.js';
import { reportError } from '../../domain/error-report.js';
import { parseSettings } from '../../domain/settings.js';
import { providerText } from '../../gateways/http/answers.js';
import { unexpectedAnswer } from '../../gateways/http/http.js';
import { behaviourOf } from '../../sandbox/payments/tokens.js';
import { parseConfirmSignal } from '../../workflows/order/signals.js';
import { bringsCardNumber, parseCancelSignal } from '../../workflows/shared/signals.js';
import { parseReceiveSignal } from '../../workflows/transfer/signals.js';

const rooms = ['api', 'domain', 'workflows', 'activities', 'gateways', 'db', 'workers', 'cli', 'sandbox', 'dev'];
const KiB = 1024;

describe('every pattern in the code', () => {
  const files = rooms.flatMap((room) =>
    readdirSync(join(projectRoot, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(ts|mjs)$/.test(file) && !/\.(test|d)\.m?ts$/.test(file))
      .map((file) => `${room}/${file}`),
  );

  const found = files.map((file) => ({ file, ...patternsIn(readFileSync(join(projectRoot, file), 'utf8')) }));

  test('takes linear time', () => {
    const patterns = found.flatMap(({ file, written }) => written.map((pattern) => ({ file, pattern })));
    expect(patterns.length).toBeGreaterThan(50);
    expect(patterns.filter(({ pattern }) => isSlow(pattern)).map(({ file, pattern }) => `${file}: ${pattern}`)).toEqual(
      [],
    );
  });

  test('that is built at run time belongs to a scanner that is timed below', () => {
    expect(found.filter(({ composed }) => composed > 0).map(({ file }) => file)).toEqual([
      'api/http/schemas.ts',
      'domain/addresses.ts',
      'domain/cards/numbers.ts',
      'domain/cards/text.ts',
    ]);
  });

  test.each(['/\\/+$/', '/(a+)+$/', '/\\s+$/'])('such as %s would be found', (pattern) => {
    expect(isSlow(pattern)).toBe(true);
  });
});

function patternsIn(source: string): { readonly written: readonly string[]; readonly composed: number } {
  const written: string[] = [];
  let composed = 0;
  const visit = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) written.push(node.text);
    if ((ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp') composed++;
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile('source.ts', source, ts.ScriptTarget.Latest, true));
  return { written, composed };
}

function isSlow(pattern: string): boolean {
  const end = pattern.lastIndexOf('/');
  return analyse({ source: pattern.slice(1, end), flags: pattern.slice(end + 1) }).reports.length > 0;
}

const folder = mkdtempSync(join(tmpdir(), 'linear-'));
const { deps, close } = loneDeps();
afterAll(async () => {
  rmSync(folder, { recursive: true });
  await close();
});

/** One text repeated up to this length. */
const times = (text: string, length: number) => text.repeat(Math.ceil(length / text.length)).slice(0, length);
/** This many different characters that can occur in a host name. */
const ideographs = (length: number) =>
  Array.from({ length }, (_, place) => String.fromCodePoint(0x4e00 + (place % 20_000))).join('');

/** Texts that have slowed scanners down. */
const worst: ((length: number) => string)[] = [
  ...['-', '0', '4242 ', '1-1 ', '4242-', '4242 4242 4242 4243 ', 'AT61 ', 'DE89370400440532013000 ', 'deadbeef-'],
  ...['a', 'a ', ' ', '\t', '\n4', '/', './', '%41', '%', '+', '=', ',', '"', '""', '","', '\r\n', '\0', '\ud800'],
  ...['ﷺ', '\u0316\u0301', '1\u0301', '４', '\u00a0', '😀', 'a@', 'a.', '@.', 'tok_', 'hf_', 'http://a:', 'T', '\\'],
].map((text) => (length: number) => times(text, length));
worst.push(
  (length) => `http://${ideographs(length)}`,
  (length) => `http://x/${times('/', length)}x`,
  (length) => `http://x/${times('\n4', length)}`,
  (length) => `a@${times('a.', length)}`,
  (length) => `${times('/', length)}x`,
  (length) => `"${times('""', length)}`,
  (length) => `SKU:${times('1', length)}`,
  (length) => `hf_test_${times('a', length)}_00000000`,
);

/** Enough for scanners that do not look for card numbers. */
const worstAnywhere: typeof worst = [...'-a/."\n', '4242 ', '1\u0301', '%41', '""', 'tok_'].map(
  (text) => (length: number) => times(text, length),
);
worstAnywhere.push(
  (length) => `http://${ideographs(length)}`,
  (length) => `${times('/', length)}x`,
  (length) => `SKU:${times('1', length)}`,
);

/** Texts that can slow down the parsing of mail addresses, times, URLs and codes. */
const worstInBodies: typeof worst = [
  (length) => times('a', length),
  (length) => times('a.', length),
  (length) => `a@${times('a.', length)}`,
  (length) => `http://${ideographs(length)}`,
  (length) => times('\ud800', length),
];

const swallowed = (scan: (text: string) => unknown) => (text: string) => {
  try {
    scan(text);
  } catch {
    // Its result is tested elsewhere.
  }
};

const caller = { actor: 'signal', traceparent: '', requestId: null };

const scanners: Readonly<Record<string, (text: string) => unknown>> = {
  holdsCardNumber,
  urlHoldsCardNumber,
  valueHoldsCardNumber: (text) => valueHoldsCardNumber({ [text]: [text, [...text.slice(0, text.length / 16)]] }),
  bringsCardNumber: (text) => bringsCardNumber({ reason: text }),
  parseConfirmSignal: (text) => [
    parseConfirmSignal({ payment: { cardToken: text } }, caller),
    parseConfirmSignal({ [text]: 1 }, caller),
  ],
  parseCancelSignal: (text) => parseCancelSignal({ reason: text }, caller),
  parseReceiveSignal: (text) => parseReceiveSignal({ reason: text }, caller),
  readApiKey,
  decodeCursor: (text) => decodeCursor('orders', Buffer.from(JSON.stringify([text, text])).toString('base64url')),
  rfc3339: (text) => rfc3339(text),
  requestHash: (text) => requestHash('POST', text, { [text]: text, list: [...text] }),
  addressGroup,
  parseSettings: (text) =>
    parseSettings(
      Object.fromEntries(
        ['API_HOST', 'API_PORT', 'DATABASE_URL', 'TEMPORAL_ADDRESS', 'WAREHOUSE_EMAIL', 'TRUSTED_PROXIES'].map(
          (name) => [name, text],
        ),
      ),
    ),
  unexpectedAnswer: swallowed((text) =>
    unexpectedAnswer('x', 'y', { status: 422, body: { error: { code: text, detail: text } } }),
  ),
  providerText: (text) => providerText.safeParse(text),
  reportError: (text) => reportError(Object.assign(new Error(text), { query: text, cause: new SyntaxError(text) })),
  toInstant: (text) => anyTime.safeParse(text),
  clientUrl: (text) => [isClientUrl(text), parseClientUrl(text, []), parseAllowedHost(text)],
  canonicalPath,
  media: swallowed((text) => [acceptRefusal(text), contentTypeRefusal(`application/json; ${text}`)]),
  contentType: swallowed((text) => contentTypeRefusal(text)),
  behaviourOf,
  parseCsv: (text) => parseCsv(text, { rows: 1_000_000, cellsPerRow: 100 }),
  decode: (text) => decode(Buffer.from(text)),
  readBulkFile: (text) => readBulkFile(Buffer.from(`operation,sku,quantity\nconsume,${text},1\n`), ''),
  findConnection: swallowed((text) =>
    findConnection(
      { HOLDFAST_API_URL: `http://x/${text}`, HOLDFAST_API_KEY: text },
      { current: folder, projectRoot: folder },
    ),
  ),
  output: (text) => [printable(text), moment(text), preciseMoment(text), fields([['x', text]])],
  values: (text) =>
    [code, idempotencyKey, orderLine, orderCharge, postalAddress, metadataEntry].map((read) =>
      swallowed((each) => read(each))(text),
    ),
};

/** CPU time in ms, the minimum of several runs, because other load only adds to it. */
function cost(work: () => unknown, runs: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let run = 0; run < runs; run++) {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** Anything cheaper passes without a second measurement: quadratic work on 256 KiB takes seconds. */
const littleMs = 200;
/** For four times the text, linear work takes four times as long and quadratic work sixteen times. */
const widestRatio = 10;

function slowness(work: (length: number) => () => unknown): string | null {
  const large = work(256 * KiB);
  if (cost(large, 1) < littleMs) return null;
  const [largeMs, smallMs] = [cost(large, 3), cost(work(64 * KiB), 3)];
  const ratio = largeMs / Math.max(smallMs, littleMs / 16);
  return ratio < widestRatio ? null : `${largeMs} ms, ${ratio} times as long as for 64 KiB`;
}

function slowTexts(scan: (text: string) => unknown, texts: typeof worst): readonly string[] {
  return texts.flatMap((textOf) => {
    const slow = slowness((length) => {
      const text = textOf(length);
      return () => scan(text);
    });
    return slow === null ? [] : [`${JSON.stringify(textOf(8))}: ${slow}`];
  });
}

test.each(Object.entries(scanners))('%s takes linear time', (_name, scan) => {
  expect(slowTexts(scan, scan === holdsCardNumber ? worst : worstAnywhere)).toEqual([]);
});

describe('the schema of', () => {
  const bodies = apiRoutes(deps).flatMap(({ method, path, body }) =>
    body instanceof z.ZodObject ? [{ name: `${method} ${path}`, body }] : [],
  );
  expect(bodies.length).toBeGreaterThan(10);

  test.each(bodies)('$name takes linear time', ({ body }) => {
    const names = Object.keys(body.shape);
    const scan = (value: unknown) => {
      const sent = {
        ...Object.fromEntries(names.map((name) => [name, value])),
        [String(value).slice(0, 256 * KiB)]: 1,
      };
      const parsed = body.safeParse(sent);
      if (!parsed.success) fieldErrors(parsed.error.issues, sent);
    };
    expect(slowTexts(scan, worstInBodies)).toEqual([]);
    expect(slowTexts((text) => scan([...text.slice(0, text.length / 32)]), worstInBodies.slice(0, 1))).toEqual([]);
  });
});

test('reading the results of a bulk takes linear time', () => {
  const slow = slowness((length) => {
    const lines = length / 4;
    const path = join(folder, `operations-${length}.csv`);
    const file = readBulkFile(Buffer.from(`operation,sku,quantity\n${'consume,A,1\n'.repeat(lines)}`), '');
    if (file.kind === 'wrong') throw new Error(file.problems.join());
    const results = new ResultFile(`${path}.results`);
    results.open([]);
    for (const batch of file.batches)
      results.add(
        batch,
        batch.operations.map(({ line, operation }) => ({
          ...{ line, operation, success: true, reservationId: null, onHand: 1, reserved: 0, available: 1 },
          ...{ code: null, detail: null },
        })),
      );
    return () => results.open(file.batches);
  });
  expect(slow).toBeNull();
});
