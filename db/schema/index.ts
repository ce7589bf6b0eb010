/**
 * The tables of Holdfast. Triggers and seeds are in db/migrations, beside the generated DDL; functions are in
 * db/functions.
 */
export * from './control.js';
export * from './operations.js';
export * from './orders.js';
export * from './payments.js';
export * from './stock.js';
export * from './subscriptions.js';
export * from './supply.js';
