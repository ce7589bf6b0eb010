/** Requests for a replenishment, signals of a low level, and the workflow's cancellation. */
import { defineSignal, setHandler } from '@temporalio/workflow';
import { type CommandTable, Inbox } from '../shared/inbox.js';
import { type PlannedRequest, type ReplenishmentAnswer, replenishmentSignals } from './contract.js';

interface ReplenishmentRequests {
  readonly planned: PlannedRequest;
}
interface Standing {
  /** The running replenishment, which answers requests that arrive meanwhile; null where none runs. */
  readonly running: string | null;
}

const commands: CommandTable<ReplenishmentRequests, Standing, ReplenishmentAnswer> = {
  planned: {
    answeredWhen: (_request, { running }) => (running === null ? null : { kind: 'done', replenishmentId: running }),
  },
};

export class ReplenishmentInbox extends Inbox<ReplenishmentRequests, Standing, ReplenishmentAnswer> {
  /** Whether a `low` signal has arrived since the level was last read. */
  low = false;
  /** Whether the workflow was cancelled: the saga then cancels its order at the supplier. */
  stopWanted = false;

  constructor() {
    super(commands, { standing: { running: null } });
    setHandler(defineSignal(replenishmentSignals.low), () => {
      this.low = true;
    });
  }

  override get hasWork(): boolean {
    return super.hasWork || this.low;
  }

  /** Answers every queued request. */
  answerAll(answer: ReplenishmentAnswer): void {
    for (const command of this.takeAll(() => true)) this.answer(command, answer);
  }
}
