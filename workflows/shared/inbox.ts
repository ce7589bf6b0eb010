/**
 * Where the commands to a saga arrive. Updates and signals only put a command into the inbox; the saga takes one at a time,
 * in the order of their arrival, and answers it. A saga declares its commands in a table (workflows/order/inbox.ts).
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
interface Asked<Kind, Request, Answer> {
  readonly kind: Kind;
  readonly request: Request;
  /**
   * The update's id, or the signal's place among the signals: the same in every run of a workflow task, in whatever order
   * commands arrive. The keys of the steps that a command causes are made of it.
   */
  readonly id: string;
  /** Nobody waits for the answer to a signal: a refusal is recorded instead. */
  readonly bySignal: boolean;
  answer?: Answer;
}

/** A command of any kind. @template Requests what each kind asks, by its name, which is that of its update and signal */
export type Command<Requests, Answer> = {
  readonly [Kind in keyof Requests & string]: Asked<Kind, Requests[Kind], Answer>;
}[keyof Requests & string];

interface Declaration<Request, Standing, Answer> {
  /** Why the command cannot be carried out, now or later; null where it can be, or was before. Rejects updates on arrival. */
  readonly refusedWhen?: (request: Request, standing: Standing) => Refusal | null;
  /** The answer to an update that the saga need not be asked about; null where it must be. */
  readonly answeredWhen?: (request: Request, standing: Standing) => Answer | null;
  /** Reads the signal of the same name; absent where there is only the update. */
  readonly parseSignal?: SignalParser<Request>;
}

/** What a saga may be asked, by the names of its updates and signals. */
export type CommandTable<Requests, Standing, Answer> = {
  readonly [Kind in keyof Requests & string]: Declaration<Requests[Kind], Standing, Answer>;
};

/** A signal that was ignored, by its id, and why. */
export interface Note {
  readonly id: string;
  readonly text: string;
}

interface Settings<Standing> {
  /** How the saga stands before its first step. */
  readonly standing: Standing;
  /** The update that goes with the start and asks for nothing but the first answer. */
  readonly firstAnswer?: string;
  /** Makes the ids of this run's signals its own; empty in the first run. */
  readonly run?: string;
  /** Records a signal that was ignored. */
  readonly onIgnored?: (note: Note) => void;
  /** Refusals that the saga's own steps have recorded by the time they are answered. */
  readonly isRecorded?: (refusal: Refusal) => boolean;
}

/** The least that an inbox must know of an answer. */
type AnyAnswer = { readonly kind: 'done' } | { readonly kind: 'refused'; readonly refusal: Refusal };

export class Inbox<Requests, Standing, Answer extends AnyAnswer> {
  /** How the saga stands; updates are judged by it when they arrive. */
  standing: Standing;
  /** For the caller who started the saga. */
  readonly firstAnswer = new FirstAnswer<Answer>();
  private readonly commands: Command<Requests, Answer>[] = [];
  private signals = 0;

  constructor(
    private readonly table: CommandTable<Requests, Standing, Answer>,
    private readonly settings: Settings<Standing>,
  ) {
    this.standing = settings.standing;
    // What arrived before is handed over as soon as it has a handler: everything must stand by now.
    if (settings.firstAnswer !== undefined)
      setHandler(defineUpdate<Answer>(settings.firstAnswer), () => this.firstAnswer.given);
    const kinds = Object.keys(table) as (keyof Requests & string)[];
    for (const kind of kinds) this.handleUpdate(kind);
    for (const kind of kinds) this.handleSignal(kind);
  }

  /** Whether there is something to do. */
  get hasWork(): boolean {
    return this.commands.length > 0;
  }

  /** Waits until there is something to do, at most so long (null: for ever). */
  async waitForWork(timeoutMs: number | null = null, summary = 'Wait for a command'): Promise<void> {
    if (timeoutMs === null) await condition(() => this.hasWork);
    else if (timeoutMs > 0) await condition(() => this.hasWork, timeoutMs, { summary });
  }

  /** The oldest command, which stays where it is. */
  get oldest(): Command<Requests, Answer> | undefined {
    return this.commands[0];
  }

  /** Takes the oldest command. */
  take(): Command<Requests, Answer> | undefined {
    return this.commands.shift();
  }

  /** Takes every command that `joins` says yes to, wherever it stands. */
  takeAll(joins: (command: Command<Requests, Answer>) => boolean): Command<Requests, Answer>[] {
    const all = this.commands.splice(0);
    for (const command of all) if (!joins(command)) this.commands.push(command);
    return all.filter(joins);
  }

  /** Whether a command to cancel waits for its turn. */
  get cancelWanted(): boolean {
    return this.commands.some(isCancel);
  }

  /** Takes the oldest command to cancel, ahead of its turn. */
  takeCancel(): Cancel<Requests, Answer> | undefined {
    const cancel = this.commands.find(isCancel);
    if (cancel !== undefined) this.commands.splice(this.commands.indexOf(cancel), 1);
    return cancel;
  }

  /** Puts a command in that came from elsewhere (the workflow's own cancellation). */
  put(command: Command<Requests, Answer>): void {
    this.commands.push(command);
  }

  /** Puts a command back that must wait for something else. */
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
   * Answers what comes too late, until nobody waits any more.
   * @param record how the saga has ended
   * @param serveOther does one other thing that is left to do; false where there is none
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
        const command = asked<Requests, Answer, Kind>(kind, request, currentUpdateInfo()?.id ?? '', false);
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
      this.commands.push(asked<Requests, Answer, Kind>(kind, parsed.value, id, true));
    });
  }
}

type Cancel<Requests, Answer> = Extract<Command<Requests, Answer>, { readonly kind: 'cancel' }>;

function isCancel<Requests, Answer>(command: Command<Requests, Answer>): command is Cancel<Requests, Answer> {
  return command.kind === 'cancel';
}

function asked<Requests, Answer, Kind extends keyof Requests & string>(
  kind: Kind,
  request: Requests[Kind],
  id: string,
  bySignal: boolean,
): Command<Requests, Answer> {
  return { kind, request, id, bySignal } satisfies Asked<Kind, Requests[Kind], Answer> as Command<Requests, Answer>;
}

/** A refusal as the failure of an update whose validator says no. */
function asFailure(why: Refusal): ApplicationFailure {
  return ApplicationFailure.create({ type: why.code, message: why.detail, nonRetryable: true, details: [why] });
}

/** The sender of a signal is not known: the trace is that of the start. */
function signalCaller(): Caller {
  const traceparent = workflowInfo().memo?.traceparent;
  return { actor: 'signal', traceparent: typeof traceparent === 'string' ? traceparent : '', requestId: null };
}
