/**
 * The inbox of a saga. Updates and signals only add commands; the saga takes one at a time, in the order of arrival, and
 * answers it. A saga declares its commands in a table (workflows/order/inbox.ts).
 */
import {
  ApplicationFailure,
  allHandlersFinished,
  condition,
  currentUpdateInfo,
  defineSignal,
  defineUpdate,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Refusal } from '../../domain/errors.js';
import { outliveCancellation } from './cancellation.js';
import type { Caller } from './contract.js';
import { FirstAnswer } from './first-answer.js';
import { bringsCardNumber, type SignalParser } from './signals.js';

/** A command of one kind. */
interface CommandOf<Kind, Request, Answer> {
  readonly kind: Kind;
  readonly request: Request;
  /**
   * The update's id, or the signal's number. The keys of the steps that a command causes contain it, so a repeated workflow
   * task gives the command the same id, even if commands arrive in another order.
   */
  readonly id: string;
  /** A signal has no caller waiting for an answer: its refusal is recorded instead. */
  readonly bySignal: boolean;
  answer?: Answer;
}

/** A command of any kind. @template Requests the request of each kind, under the name of its update and signal */
export type Command<Requests, Answer> = {
  readonly [Kind in keyof Requests & string]: CommandOf<Kind, Requests[Kind], Answer>;
}[keyof Requests & string];

interface Declaration<Request, Standing, Answer> {
  /** Why the command can never be carried out; null where it may be, or has been. Rejects updates on arrival. */
  readonly refusedWhen?: (request: Request, standing: Standing) => Refusal | null;
  /** The immediate answer to an update; null where the saga must decide. */
  readonly answeredWhen?: (request: Request, standing: Standing) => Answer | null;
  /** Parses the signal of the same name; absent where there is only the update. */
  readonly parseSignal?: SignalParser<Request>;
}

/** The commands of a saga, under the names of their updates and signals. */
export type CommandTable<Requests, Standing, Answer> = {
  readonly [Kind in keyof Requests & string]: Declaration<Requests[Kind], Standing, Answer>;
};

/** An ignored signal and the reason. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

interface Settings<Standing> {
  /** The saga's state before its first step. */
  readonly standing: Standing;
  /** The update sent with the start, which waits for the first answer. */
  readonly firstAnswer?: string;
  /** Prefix of this run's signal ids, which keeps them apart from earlier runs'; empty in the first run. */
  readonly run?: string;
  /** Records an ignored signal. */
  readonly onIgnored?: (note: Note) => void;
  /** Whether the saga's own step has already recorded this refusal. */
  readonly isRecorded?: (refusal: Refusal) => boolean;
}

/** The part of an answer that the inbox reads. */
type AnyAnswer = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly refusal: Refusal };

export class Inbox<Requests, Standing, Answer extends AnyAnswer> {
  /** The saga's present state, which decides whether an arriving update is rejected. */
  standing: Standing;
  /** The answer to the caller who started the saga. */
  readonly firstAnswer = new FirstAnswer<Answer>();
  private readonly commands: Command<Requests, Answer>[] = [];
  private signals = 0;

  constructor(
    private readonly table: CommandTable<Requests, Standing, Answer>,
    private readonly settings: Settings<Standing>,
  ) {
    this.standing = settings.standing;
    // Registering a handler delivers what arrived before, so everything else must be initialized by now.
    if (settings.firstAnswer !== undefined)
      setHandler(defineUpdate<Answer>(settings.firstAnswer), () => this.firstAnswer.given);
    const kinds = Object.keys(table) as (keyof Requests & string)[];
    for (const kind of kinds) this.handleUpdate(kind);
    for (const kind of kinds) this.handleSignal(kind);
  }

  /** Whether work is queued. */
  get hasWork(): boolean {
    return this.commands.length > 0;
  }

  /** Waits until work is queued or the time-out passes (null: no time-out). */
  async waitForWork(timeoutMs: number | null = null, summary = 'Wait for a command'): Promise<void> {
    if (timeoutMs === null) await condition(() => this.hasWork);
    else if (timeoutMs > 0) await condition(() => this.hasWork, timeoutMs, { summary });
  }

  /** The oldest command, which stays queued. */
  get oldest(): Command<Requests, Answer> | undefined {
    return this.commands[0];
  }

  /** Takes the oldest command. */
  take(): Command<Requests, Answer> | undefined {
    return this.commands.shift();
  }

  /** Takes the oldest command that `matches` accepts, ahead of other commands. */
  takeFirst(matches: (command: Command<Requests, Answer>) => boolean): Command<Requests, Answer> | undefined {
    const index = this.commands.findIndex(matches);
    return index === -1 ? undefined : this.commands.splice(index, 1)[0];
  }

  /** Takes every queued command that `joins` accepts. */
  takeAll(joins: (command: Command<Requests, Answer>) => boolean): Command<Requests, Answer>[] {
    const all = this.commands.splice(0);
    for (const command of all) if (!joins(command)) this.commands.push(command);
    return all.filter(joins);
  }

  /** Whether a command that `matches` accepts is queued. */
  isQueued(matches: (command: Command<Requests, Answer>) => boolean): boolean {
    return this.commands.some(matches);
  }

  /** Whether a cancel is queued. */
  get cancelWanted(): boolean {
    return this.commands.some(isCancel);
  }

  /** Takes the oldest cancel, ahead of other commands. */
  takeCancel(): Cancel<Requests, Answer> | undefined {
    const cancel = this.commands.find(isCancel);
    if (cancel !== undefined) this.commands.splice(this.commands.indexOf(cancel), 1);
    return cancel;
  }

  /** Adds a command that did not come as an update or a signal: the workflow's own cancellation. */
  put(command: Command<Requests, Answer>): void {
    this.commands.push(command);
  }

  /** Returns a taken command to the front. */
  putBack(command: Command<Requests, Answer>): void {
    this.commands.unshift(command);
  }

  /** Answers a command. A refused signal is recorded as ignored. */
  answer(command: Command<Requests, Answer>, answer: Answer): void {
    command.answer = answer;
    if (!command.bySignal || answer.kind === 'done' || this.settings.isRecorded?.(answer.refusal)) return;
    this.ignore(command.kind, command.id, answer.refusal.detail);
  }

  /**
   * Answers late commands until no caller waits.
   * @param record how the saga has ended
   * @param serveOther does one piece of other work; false where none is left
   */
  async close(
    record: { answer(): Answer; refuse(why: Refusal): Answer },
    serveOther: () => Promise<boolean> = async () => false,
  ): Promise<void> {
    for (;;) {
      for (let command = this.take(); command !== undefined; command = this.take()) {
        const why = this.refusalOf(command);
        this.answer(command, why === null ? record.answer() : record.refuse(why));
      }
      if (await serveOther()) continue;
      if (allHandlersFinished() && !this.hasWork) return;
      await condition(() => allHandlersFinished() || this.hasWork);
    }
  }

  private refusalOf({ kind, request }: Command<Requests, Answer>): Refusal | null {
    return this.table[kind].refusedWhen?.(request, this.standing) ?? null;
  }

  private ignore(signal: string, id: string, why: string): void {
    this.settings.onIgnored?.({ id, text: `signal ${signal} ignored: ${why}` });
  }

  private handleUpdate<Kind extends keyof Requests & string>(kind: Kind): void {
    const { refusedWhen, answeredWhen } = this.table[kind];
    setHandler(
      defineUpdate<Answer, [Requests[Kind]]>(kind),
      async (request: Requests[Kind]) => {
        const known = answeredWhen?.(request, this.standing) ?? null;
        if (known !== null) return known;
        const command = newCommand<Requests, Answer, Kind>(kind, request, currentUpdateInfo()?.id ?? '', false);
        this.commands.push(command);
        const isAnswered = () => command.answer !== undefined;
        try {
          await condition(isAnswered);
        } catch (error) {
          await outliveCancellation(error, isAnswered);
        }
        return command.answer as Answer;
      },
      {
        validator: (request: Requests[Kind]) => {
          const why = refusedWhen?.(request, this.standing) ?? null;
          if (why !== null) throw asFailure(why);
        },
      },
    );
  }

  private handleSignal<Kind extends keyof Requests & string>(kind: Kind): void {
    const { parseSignal } = this.table[kind];
    if (parseSignal === undefined) return;
    setHandler(defineSignal<[unknown]>(kind), (payload) => {
      const id = `${this.settings.run ?? ''}signal-${++this.signals}`;
      if (bringsCardNumber(payload)) return this.ignore(kind, id, 'holds what looks like a card number');
      const parsed = parseSignal(payload, signalCaller());
      if (parsed.kind === 'bad') return this.ignore(kind, id, parsed.problem);
      this.commands.push(newCommand<Requests, Answer, Kind>(kind, parsed.value, id, true));
    });
  }
}

type Cancel<Requests, Answer> = Extract<Command<Requests, Answer>, { readonly kind: 'cancel' }>;

function isCancel<Requests, Answer>(command: Command<Requests, Answer>): command is Cancel<Requests, Answer> {
  return command.kind === 'cancel';
}

function newCommand<Requests, Answer, Kind extends keyof Requests & string>(
  kind: Kind,
  request: Requests[Kind],
  id: string,
  bySignal: boolean,
): Command<Requests, Answer> {
  return { kind, request, id, bySignal } satisfies CommandOf<Kind, Requests[Kind], Answer> as Command<Requests, Answer>;
}

/** The failure with which a validator rejects an update. */
function asFailure(why: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: why.code, message: why.detail, nonRetryable: true, details: [why] });
}

/** A signal does not name its sender: the caller gets the trace of the start. */
function signalCaller(): Caller {
  const traceparent = workflowInfo().memo?.traceparent;
  return { actor: 'signal', traceparent: typeof traceparent === 'string' ? traceparent : '', requestId: null };
}
