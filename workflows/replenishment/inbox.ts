/** Where a replenishment hears of others: who wants one, that the level is low, that it is to be called off. */
import { condition, defineSignal, defineUpdate, setHandler } from '@temporalio/workflow';
import { outliveCancellation } from '../shared/waiting.js';
import {
  type PlannedRequest,
  type ReplenishmentAnswer,
  replenishmentSignals,
  replenishmentUpdates,
} from './contract.js';

interface Wish {
  readonly replenishmentId: string;
  answer?: ReplenishmentAnswer;
}

export class ReplenishmentDesk {
  /** The replenishment that runs; whoever wants one meanwhile is answered this one. */
  running: string | null = null;
  /** Somebody has seen the level low since it was last looked at. */
  low = false;
  /** Somebody has cancelled the workflow. */
  stopWanted = false;
  /** How the newest replenishment of this run has ended, for the operator who looks at the workflow. */
  story = 'the level needs nothing';
  private readonly wishes: Wish[] = [];

  constructor() {
    setHandler(defineUpdate<ReplenishmentAnswer, [PlannedRequest]>(replenishmentUpdates.planned), async (request) => {
      if (this.running !== null) return { kind: 'done', replenishmentId: this.running };
      const wish: Wish = { replenishmentId: request.replenishmentId };
      this.wishes.push(wish);
      const isAnswered = () => wish.answer !== undefined;
      try {
        await condition(isAnswered);
      } catch (error) {
        await outliveCancellation(error, isAnswered);
      }
      return wish.answer as ReplenishmentAnswer;
    });
    setHandler(defineSignal(replenishmentSignals.low), () => {
      this.low = true;
    });
  }

  /** Whether there is something to do. */
  get hasWork(): boolean {
    return this.low || this.wishes.length > 0;
  }

  /** The oldest that waits for an answer. It goes on waiting. */
  get oldest(): string | undefined {
    return this.wishes[0]?.replenishmentId;
  }

  /** Answers all who wait. */
  answer(answer: ReplenishmentAnswer): void {
    for (const wish of this.wishes.splice(0)) wish.answer = answer;
  }
}
