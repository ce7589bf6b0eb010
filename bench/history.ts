/** The cost of one order in Temporal, counted in the histories of its workflows. */
import { Client, Connection } from '@temporalio/client';
import type { Row, Target } from './table.js';

type History = Awaited<ReturnType<ReturnType<Client['workflow']['getHandle']>['fetchHistory']>>;

/** One order, created and confirmed in one call, and the mail that follows. */
export async function benchHistory(target: Target, sku: string): Promise<Row[]> {
  const response = await fetch(`${target.apiUrl}/api/orders`, {
    method: 'POST',
    headers: { authorization: `Bearer ${target.apiKey}`, 'content-type': 'application/json', prefer: 'wait=30' },
    body: JSON.stringify({
      lines: [{ sku, quantity: 1 }],
      customer: { email: 'bench@example.com' },
      payment: { cardToken: 'tok_visa' },
      confirm: true,
    }),
  });
  const { id } = (await response.json()) as { id: string };
  const connection = await Connection.connect({ address: target.temporalAddress });
  try {
    const client = new Client({ connection });
    const order = await client.workflow.getHandle(`order/${id}`).fetchHistory();
    const notices = await noticesAfter(client, new Date(Date.now() - 5000));
    return [countOf('the order', order), countOf('its mail (one workflow for the whole batch)', notices)];
  } finally {
    await connection.close();
  }
}

async function noticesAfter(client: Client, since: Date): Promise<History> {
  for (let attempt = 0; attempt < 300; attempt++) {
    for await (const found of client.workflow.list({
      query: `WorkflowType = 'notices' AND StartTime > '${since.toISOString()}'`,
    }))
      if (found.status.name === 'COMPLETED') return client.workflow.getHandle(found.workflowId).fetchHistory();
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('no mail was sent');
}

/** Counts actions as Temporal Cloud bills them: the start, each update, activity and timer, and one for all local activities of a task. */
function countOf(what: string, history: History): Row {
  const events = history.events ?? [];
  const having = (attribute: string) => events.filter((event) => Reflect.get(event, attribute)).length;
  const tasks = having('workflowTaskCompletedEventAttributes');
  const markers = events.flatMap((event) => {
    const taskId = event.markerRecordedEventAttributes?.workflowTaskCompletedEventId;
    return taskId ? [String(taskId)] : [];
  });
  const activities = having('activityTaskScheduledEventAttributes');
  const actions =
    having('workflowExecutionStartedEventAttributes') +
    having('workflowExecutionUpdateAcceptedEventAttributes') +
    having('upsertWorkflowSearchAttributesEventAttributes') +
    having('timerStartedEventAttributes') +
    activities +
    new Set(markers).size;
  return {
    what,
    'workflow tasks': tasks,
    activities,
    'local activities': markers.length,
    events: events.length,
    actions,
  };
}
