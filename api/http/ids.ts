/** Makes ids, which are opaque to clients: a prefix and a UUID v7, whose timestamp keeps new rows together in an index. */
import { v7 as uuidv7 } from 'uuid';

export type IdPrefix =
  | 'ord'
  | 'pay'
  | 'rfd'
  | 'dsp'
  | 'rsv'
  | 'trf'
  | 'rpl'
  | 'sup'
  | 'key'
  | 'upd'
  | 'req'
  | 'ver'
  | 'sub'
  | 'clk'
  | 'rcn';

export function newId(prefix: IdPrefix): string {
  return `${prefix}_${uuidv7().replaceAll('-', '')}`;
}

/** The id of the owner's child with this number; the same owner and number always give the same id. */
export function childId(prefix: IdPrefix, owner: string, number: number): string {
  return `${prefix}_${owner.slice(owner.indexOf('_') + 1)}${number.toString(16).padStart(2, '0')}`;
}
