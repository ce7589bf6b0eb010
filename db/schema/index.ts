/** The tables of Holdfast. Functions, triggers and seeds are SQL in db/migrations beside the generated DDL. */
export * from './operations.js';
export * from './orders.js';
export * from './stock.js';
export * from './supply.js';
