/** The arithmetic with keys and operations: the answers and the levels that the Postgres function must produce. */
import { type StockCommand, type StockOperation, type StockResult, transitLocation } from '../../../domain/stock.js';
import { effect, type Hold, type Place } from './arithmetic.js';

/** An answer without ids and times, which only the real ledger knows. */
export type Answer =
  | {
      readonly outcome: 'done';
      readonly replayed: boolean;
      readonly movements: readonly {
        readonly place: string;
        readonly onHandDelta: number;
        readonly reservedDelta: number;
        readonly onHandAfter: number;
        readonly reservedAfter: number;
      }[];
      /** The current state of each named hold. */
      readonly holds: Readonly<Record<string, string>>;
    }
  | { readonly outcome: 'refused'; readonly replayed: boolean; readonly refusal: Readonly<Record<string, unknown>> };

/** Reduces a real answer to the same form. */
export function withoutIds(result: StockResult): Answer {
  if (result.outcome === 'refused') return result;
  return {
    outcome: 'done',
    replayed: result.replayed,
    movements: result.movements.map((moved) => ({
      place: `${moved.sku}/${moved.location}`,
      onHandDelta: moved.onHandDelta,
      reservedDelta: moved.reservedDelta,
      onHandAfter: moved.onHandAfter,
      reservedAfter: moved.reservedAfter,
    })),
    holds: Object.fromEntries(result.reservations.map((hold) => [hold.id, `${hold.quantity} ${hold.status}`])),
  };
}

const onTheWay: readonly StockCommand['kind'][] = ['transfer_in', 'transfer_out', 'lose'];

export class Model {
  places: ReadonlyMap<string, Place> = new Map();
  holds: ReadonlyMap<string, Hold> = new Map();
  readonly #answers = new Map<string, Answer>();

  constructor(
    private readonly skus: readonly string[],
    private readonly locations: readonly string[],
  ) {}

  apply(operation: StockOperation): Answer {
    const known = this.#answers.get(operation.key);
    if (known) return { ...known, replayed: true };
    const { places, holds } = this;
    const answer = this.#decide(operation);
    if (answer.outcome === 'refused') Object.assign(this, { places, holds });
    this.#answers.set(operation.key, answer);
    return answer;
  }

  #decide({ commands }: StockOperation): Answer {
    const movements = [];
    const named: Record<string, string> = {};
    for (const [index, command] of commands.entries()) {
      const refuse = (refusal: Record<string, unknown>): Answer => ({
        outcome: 'refused',
        replayed: false,
        refusal: { ...refusal, command: index },
      });
      const id = 'reservationId' in command ? command.reservationId : undefined;
      const before = id === undefined ? undefined : this.holds.get(id);
      const where = 'sku' in command ? command : before;
      if (where === undefined) return refuse({ code: 'reservation_not_found', reservationId: id });
      const { sku, location } = where;
      if (!this.skus.includes(sku)) return refuse({ code: 'unknown_sku', sku });
      const virtual = location === transitLocation;
      if (virtual ? !onTheWay.includes(command.kind) : !this.locations.includes(location))
        return refuse({ code: 'unknown_location', location });

      const place = this.places.get(`${sku}/${location}`) ?? { onHand: 0, reserved: 0 };
      const made = effect(command, place, before);
      if ('refused' in made) {
        const { refused, ...why } = made;
        return refuse({
          code: refused,
          ...why,
          ...(refused === 'insufficient_stock' ? { sku, location } : { reservationId: id }),
        });
      }
      const after = { onHand: place.onHand + made.onHand, reserved: place.reserved + made.reserved };
      if (made.moves) {
        this.places = new Map(this.places).set(`${sku}/${location}`, after);
        movements.push({
          place: `${sku}/${location}`,
          onHandDelta: made.onHand,
          reservedDelta: made.reserved,
          onHandAfter: after.onHand,
          reservedAfter: after.reserved,
        });
      }
      const hold = made.hold ?? before;
      if (id !== undefined && hold) {
        this.holds = new Map(this.holds).set(id, hold);
        named[id] = `${hold.quantity} ${hold.status}`;
      }
    }
    return { outcome: 'done', replayed: false, movements, holds: named };
  }
}
