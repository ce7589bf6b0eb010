/**
 * A worker with our workflows and scripted activities: each test says how every step of its saga answers or fails, and reads
 * afterwards which steps were asked for, in their order. An activity without a script fails, as a bug would.
 */
import { randomUUID } from 'node:crypto';
import { Context } from '@temporalio/activity';
import { Client, type WorkflowHandle } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { msToTs } from '@temporalio/common/lib/time.js';
import { DefaultLogger, NativeConnection, Runtime, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, inject } from 'vitest';
import { attemptNumber } from '../../activities/context.js';
import { askGateway, type RetryBudget } from '../../activities/failures.js';
import type { Activities } from '../../activities/index.js';
import { setUpTemporal } from '../../dev/temporal/setup.js';
import { gatewayTaskQueue, reviewSignal, taskQueue } from '../../workflows/shared/contract.js';

/** How each activity of one workflow answers; throws where it fails. */
export type Script = { readonly [Name in keyof Activities]?: (...args: Parameters<Activities[Name]>) => unknown };

/** What every saga's input has: the least waits that workflows know, and a caller. */
export const anyInput = {
  retry: { retryBaseScale: 0.0001, gatewayTimeoutSeconds: 0.5 },
  caller: { actor: 'test', traceparent: '', requestId: null },
};

interface Asked {
  readonly name: string;
  readonly args: readonly unknown[];
}

export class SagaRun {
  readonly asked: Asked[] = [];
  handle: WorkflowHandle | null = null;

  constructor(readonly script: Script) {}

  /** The names of the steps that were asked for, in their order. */
  get steps(): string[] {
    return this.asked.map(({ name }) => name);
  }

  /** What `name` was asked with, each time. */
  argsOf<Name extends keyof Activities>(name: Name): Parameters<Activities[Name]>[] {
    return this.asked.filter((each) => each.name === name).map(({ args }) => args as Parameters<Activities[Name]>);
  }

  /** Resolves when `name` has been asked for. */
  async until(name: keyof Activities, times = 1): Promise<void> {
    while (this.argsOf(name).length < times) await new Promise((done) => setTimeout(done, 10));
  }

  get running(): WorkflowHandle {
    if (this.handle === null) throw new Error('the workflow has not been started');
    return this.handle;
  }

  /** Decides the review that was opened last, as a person does. */
  async decide(resolution: 'retry' | 'done'): Promise<void> {
    await this.until('openReview');
    const reviewId = this.argsOf('openReview').at(-1)?.[0].id;
    await this.running.signal(reviewSignal, { reviewId, resolution });
  }
}

class FaultyWorker {
  private readonly runs = new Map<string, SagaRun>();

  private constructor(
    private readonly client: Client,
    private readonly namespace: string,
  ) {}

  /** Starts a worker in a namespace of its own. */
  static async start(): Promise<FaultyWorker & { stop(): Promise<void> }> {
    Runtime.install({ logger: new DefaultLogger('ERROR') });
    const connection = await NativeConnection.connect({ address: inject('temporalAddress') });
    const namespace = await newNamespace(connection);
    const faulty = new FaultyWorker(new Client({ connection, namespace }), namespace);
    const common = { connection, namespace, activities: faulty.activities(), shutdownGraceTime: '1s' };
    const workers = await Promise.all([
      Worker.create({ ...common, taskQueue, workflowBundle: { codePath: inject('bundlePath') } }),
      Worker.create({ ...common, taskQueue: gatewayTaskQueue }),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    const stop = async () => {
      for (const worker of workers) worker.shutdown();
      await running;
      await connection.close();
    };
    return Object.assign(faulty, { stop });
  }

  /** Starts a workflow whose activities follow the script. */
  async begin(workflowType: string, workflowId: string, input: object, script: Script): Promise<SagaRun> {
    const run = new SagaRun(script);
    this.runs.set(workflowId, run);
    run.handle = await this.client.workflow.start(workflowType, { workflowId, taskQueue, args: [input] });
    return run;
  }

  private activities(): Record<string, (...args: unknown[]) => Promise<unknown>> {
    const perform = async (name: string, args: unknown[]) => {
      const { workflowExecution } = Context.current().info;
      // A child's steps are those of the run that began last.
      const run = this.runs.get(workflowExecution?.workflowId ?? '') ?? [...this.runs.values()].at(-1);
      run?.asked.push({ name, args });
      const scripted = run?.script[name as keyof Activities] as ((...given: unknown[]) => unknown) | undefined;
      if (scripted === undefined)
        throw ApplicationFailure.nonRetryable(`${this.namespace}: ${name} is not in the script`);
      return await askGateway(async () => scripted(...args), budgetAmong(args), attemptNumber());
    };
    return Object.fromEntries(names.map((name) => [name, (...args: unknown[]) => perform(name, args)]));
  }
}

function budgetAmong(args: readonly unknown[]): RetryBudget | null {
  const isBudget = (arg: unknown): arg is RetryBudget => typeof arg === 'object' && arg !== null && 'retryClass' in arg;
  return args.find(isBudget) ?? null;
}

/**
 * A faulty worker for the tests of one file.
 * @returns starts a workflow whose steps answer as `script` says, and as `good` says where it says nothing
 */
export function faultyWorker(good: Script): FaultyWorker['begin'] {
  let worker: Awaited<ReturnType<typeof FaultyWorker.start>> | null = null;
  beforeAll(async () => {
    worker = await FaultyWorker.start();
  });
  afterAll(() => worker?.stop());
  return async (workflowType, workflowId, input, script) => {
    if (worker === null) throw new Error('the worker does not run yet: start workflows inside a test');
    return worker.begin(workflowType, workflowId, input, { ...good, ...script });
  };
}

/** The activities that the sagas under test ask for. */
const names: readonly (keyof Activities)[] = [
  'reconcilePayments',
  'failReconciliation',
  ...(['openOrder', 'beginConfirm', 'abandonCard', 'refusePayment', 'settleOrder', 'closeOrder'] as const),
  ...(['chargeCard', 'scoreFraud', 'authorizeCard', 'captureCard', 'undoCard'] as const),
  ...(['abandonPayment', 'recordPayment', 'openReview', 'closeReview'] as const),
  ...(['beginRefund', 'acceptRefund', 'settleRefund', 'failRefund', 'retryRefund'] as const),
  ...(['refundPayment', 'findRefund'] as const),
  ...(['openTransfer', 'moveTransfer', 'shipTransfer', 'receiveTransfer', 'closeTransfer'] as const),
  ...(['reviewTransfer', 'undoTransfer', 'planReplenishment', 'askAvailability', 'reduceQuantity'] as const),
  ...(['findSupplierOrder', 'placeSupplierOrder', 'cancelSupplierOrder', 'askDelivery'] as const),
  ...(['recordPurchaseOrder', 'markShipped', 'receiveDelivery', 'reportReplenishmentFailure'] as const),
  ...(['storeCard', 'openSubscription', 'dueSubscription', 'settleSubscription', 'changeSubscription'] as const),
  ...(['cancelSubscription', 'pauseSubscription', 'resumeSubscription'] as const),
  ...(['failReplenishment', 'adoptReported', 'giveUpReported', 'lookForChanges'] as const),
];

/** Other test files have the same task queues. */
async function newNamespace(connection: NativeConnection): Promise<string> {
  const namespace = `t-${randomUUID()}`;
  await connection.workflowService.registerNamespace({
    namespace,
    workflowExecutionRetentionPeriod: msToTs('1 day'),
  });
  for (let tries = 0; ; tries++)
    try {
      await setUpTemporal(inject('temporalAddress'), namespace);
      await new Client({ connection, namespace }).workflow.count("OrderStatus = 'none'");
      return namespace;
    } catch (error) {
      if (tries === 200) throw error;
      await new Promise((done) => setTimeout(done, 50));
    }
}

export const newId = (prefix: string) => `${prefix}_${randomUUID().replaceAll('-', '')}`;
