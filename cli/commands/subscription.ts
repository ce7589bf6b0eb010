/** `holdfast subscription ...` */
import { type Command, Option } from 'commander';
import { planIntervals, subscriptionStatuses } from '../../domain/subscriptions/states.js';
import { moment } from '../terminal/output.js';
import type { PostOptions, Session } from '../terminal/session.js';
import { dayOfMonth, type PlanValue, plan } from '../terminal/values.js';
import { example, type ListOptions, segment, withKey, withPages, withWait } from './options.js';
import { describeChange, describeSubscription, listRecords, listSubscriptions } from './subscription-view.js';

interface CreateOptions extends PostOptions {
  readonly customer: string;
  readonly email?: string;
  readonly plan: PlanValue;
  readonly card: string;
  readonly backupCard?: string;
  readonly startAt?: string;
  readonly anchorDay?: number;
  readonly clock?: string;
}

const planForm = `AMOUNT CURRENCY/INTERVAL, for example "10.00 USD/month" (${planIntervals.join(', ')})`;

export function addSubscriptionCommands(group: Command, session: Session): void {
  withWait(withKey(group.command('create')))
    .description('store a card and charge the first period')
    .requiredOption('--customer <id>', 'your own id for the customer')
    .requiredOption('--plan <plan>', planForm, plan)
    .requiredOption('--card <token>', 'the card token')
    .option('--backup-card <token>', 'the card to try if the first one is refused')
    .option('--email <address>', 'where receipts and notices go')
    .option('--start-at <time>', 'when the first period begins, RFC 3339 (default: now)')
    .option('--anchor-day <n>', 'the day of the month on which periods begin, 1 to 31', dayOfMonth)
    .option('--clock <id>', 'the test clock that it follows')
    .addHelpText(
      'after',
      example('holdfast subscription create --customer cus_1001 --plan "10.00 USD/month" --card tok_visa'),
    )
    .action(async (options: CreateOptions) => {
      const { customer: customerId, email, card: cardToken, backupCard, startAt, anchorDay, clock } = options;
      const body = {
        ...{ customerId, plan: options.plan, cardToken },
        ...(email !== undefined && { email }),
        ...(backupCard !== undefined && { backupCardToken: backupCard }),
        ...(startAt !== undefined && { startAt }),
        ...(anchorDay !== undefined && { anchorDay }),
        ...(clock !== undefined && { testClock: clock }),
      };
      await session.show(await session.post('/api/subscriptions', body, options), 'subscription', describeSubscription);
    });

  addReads(group, session);
  addCommands(group, session);
}

function addReads(group: Command, session: Session): void {
  withPages(group.command('list'))
    .description('subscriptions, newest first')
    .addOption(new Option('--status <status>', 'only these').choices(subscriptionStatuses))
    .option('--customer <id>', 'only of this customer')
    .action(async (options: ListOptions & { status?: string; customer?: string }) => {
      const { status, customer: customerId, limit, cursor } = options;
      const reply = await session.get('/api/subscriptions', { customerId, status, limit, cursor });
      await session.show(reply, 'subscriptionPage', listSubscriptions);
    });

  group
    .command('show')
    .description('one subscription')
    .argument('<id>', 'the subscription')
    .action(async (id: string) => {
      await session.show(await session.get(pathOf(id)), 'subscription', describeSubscription);
    });

  withPages(group.command('records'))
    .description('what a subscription was billed, newest first')
    .argument('<id>', 'the subscription')
    .action(async (id: string, { limit, cursor }: ListOptions) => {
      const reply = await session.get(`${pathOf(id)}/billing-records`, { limit, cursor });
      await session.show(reply, 'billingRecordPage', listRecords);
    });
}

function addCommands(group: Command, session: Session): void {
  withWait(withKey(group.command('change')))
    .description('change the plan; the rest of the period is credited and charged in proportion')
    .argument('<id>', 'the subscription')
    .requiredOption('--plan <plan>', planForm, plan)
    .action(async (id: string, options: PostOptions & { plan: PlanValue }) => {
      const reply = await session.post(`${pathOf(id)}/change`, { plan: options.plan }, options);
      await session.show(reply, 'changedSubscription', describeChange);
    });

  withWait(withKey(group.command('cancel')))
    .description('end a subscription now, or with its period; nothing is refunded')
    .argument('<id>', 'the subscription')
    .option('--at-period-end', 'when its period ends')
    .action(async (id: string, options: PostOptions & { atPeriodEnd?: boolean }) => {
      await send(session, id, 'cancel', options.atPeriodEnd ? { atPeriodEnd: true } : {}, options);
    });

  withWait(withKey(group.command('pause')))
    .description('end its period, and charge nothing until it is resumed')
    .argument('<id>', 'the subscription')
    .action((id: string, options: PostOptions) => send(session, id, 'pause', {}, options));

  withWait(withKey(group.command('resume')))
    .description('start a period of a paused or unpaid one now; or withdraw a cancellation at the end of the period')
    .argument('<id>', 'the subscription')
    .action((id: string, options: PostOptions) => send(session, id, 'resume', {}, options));

  withWait(withKey(group.command('payment-method')))
    .description('pay with another card from now on; one that is past due is tried at once')
    .argument('<id>', 'the subscription')
    .requiredOption('--card <token>', 'the card token')
    .option('--backup-card <token>', 'the card to try if the first one is refused')
    .action(async (id: string, options: PostOptions & { card: string; backupCard?: string }) => {
      const { card: cardToken, backupCard } = options;
      const body = { cardToken, ...(backupCard !== undefined && { backupCardToken: backupCard }) };
      await send(session, id, 'payment-method', body, options);
    });
}

async function send(session: Session, id: string, command: string, body: object, options: PostOptions): Promise<void> {
  const reply = await session.post(`${pathOf(id)}/${command}`, body, options);
  await session.show(reply, 'subscription', describeSubscription);
}

const pathOf = (id: string) => `/api/subscriptions/${segment(id)}`;

export function addTestClockCommands(group: Command, session: Session): void {
  withKey(group.command('create'))
    .description('make a clock; subscriptions on it see its time')
    .requiredOption('--now <time>', 'where it stands, RFC 3339')
    .action(async (options: PostOptions & { now: string }) => {
      await session.show(await session.post('/api/test-clocks', { now: options.now }, options), 'testClock', describe);
    });

  withWait(withKey(group.command('advance')))
    .description('move a clock on; all that is due on the way is done first')
    .argument('<id>', 'the test clock')
    .requiredOption('--to <time>', 'where it is to stand, RFC 3339')
    .action(async (id: string, options: PostOptions & { to: string }) => {
      const reply = await session.post(`/api/test-clocks/${segment(id)}/advance`, { to: options.to }, options);
      await session.show(reply, 'testClock', describe);
    });

  group
    .command('show')
    .description('where a clock stands')
    .argument('<id>', 'the test clock')
    .action(async (id: string) => {
      await session.show(await session.get(`/api/test-clocks/${segment(id)}`), 'testClock', describe);
    });
}

function describe({ id, now, status }: { readonly id: string; readonly now: string; readonly status: string }): string {
  return `test clock  ${id}\nnow         ${moment(now)}\nstatus      ${status}\n`;
}
