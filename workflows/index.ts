/** The workflow types, by their names. */
export { notices } from './notices.js';
export { order } from './order.js';
export { payment } from './payment.js';
export { replenishment } from './replenishment.js';
export { sweep } from './sweep.js';
export { transfer } from './transfer.js';
