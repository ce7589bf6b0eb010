/** What a replenishment hears from outside: that one is wanted, that the level is low, that it is to be called off. */
import { defineSignal, setHandler } from '@temporalio/workflow';
import { type CommandTable, Inbox } from '../shared/inbox.js';
import { type PlannedRequest, type ReplenishmentAnswer, replenishmentSignals } from './contract.js';

interface ReplenishmentRequests {
  readonly planned: PlannedRequest;
}
interface Standing {
  /** The replenishment that runs; a caller who wants one meanwhile is answered this one. */
  readonly running: string | null;
}

const commands: CommandTable<ReplenishmentRequests, Standing, ReplenishmentAnswer> = {
  planned: {
    answeredWhen: (_request, { running }) => (running === null ? null : { kind: 'done', replenishmentId: running }),
  },
};

export class ReplenishmentInbox extends Inbox<ReplenishmentRequests, Standing, ReplenishmentAnswer> {
  /** The level was seen low since it was last looked at: however often, it is looked at once. */
  low = false;
  /** The workflow was cancelled: what is ordered is to be called off. */
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

  /** Answers all who wait. */
  answerAll(answer: ReplenishmentAnswer): void {
    for (const command of this.takeAll(() => true)) this.answer(command, answer);
  }
}
