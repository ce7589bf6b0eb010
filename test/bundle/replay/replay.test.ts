import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { DefaultLogger, makeTelemetryFilterString, Runtime, Worker } from '@temporalio/worker';
import { describe, expect, inject, test } from 'vitest';
import { projectRoot } from '../../../dev/home/paths.js';
import { paths } from './paths.js';

// Replaying logs a lot, and the last test fails on purpose.
Runtime.install({
  logger: new DefaultLogger('ERROR'),
  telemetryOptions: { logging: { filter: makeTelemetryFilterString({ core: 'ERROR', other: 'ERROR' }) } },
});

const folder = join(projectRoot, 'test/bundle/replay/histories');
/**
 * Those in `step-by-step` are of orders started before single-activity checkout, those in `earlier-names` hold inputs and
 * results whose names have changed since (workflows/shared/earlier-names.ts), those in `given-up-cards-fail` end an order
 * whose card a lost task gave up, and those in `refused-refunds-wait` wait for a person after a processor's refusal.
 */
const histories = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
const bundle = { codePath: inject('bundlePath') };

describe("today's workflows continue recorded histories", () => {
  test('every path has a history', () => {
    const recorded = histories.map((file) => file.replace('.json', ''));
    expect(paths.map(({ name }) => name).filter((name) => !recorded.includes(name))).toEqual([]);
  });

  test.each(histories)('%s', async (file) => {
    const history = JSON.parse(readFileSync(join(folder, file), 'utf8'));
    const [started] = history.events;
    const workflowId = started.workflowExecutionStartedEventAttributes.workflowId;
    await Worker.runReplayHistory({ workflowBundle: bundle }, history, workflowId);
  });

  test('a history that the workflow would not have produced is refused', async () => {
    const history = JSON.parse(readFileSync(join(folder, 'order-bought-in-one-call.json'), 'utf8'));
    // The same events for an order without payment: today's workflow would have waited after the first step.
    const payload = history.events[0].workflowExecutionStartedEventAttributes.input.payloads[0];
    const input = JSON.parse(Buffer.from(payload.data, 'base64').toString());
    payload.data = Buffer.from(JSON.stringify({ ...input, confirm: false })).toString('base64');
    await expect(
      Worker.runReplayHistory({ workflowBundle: bundle }, history, `order/${input.orderId}`),
    ).rejects.toThrow();
  });
});
