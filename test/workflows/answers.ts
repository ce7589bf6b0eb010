/** How scripted activities answer and fail. */
import { ApplicationFailure } from '@temporalio/common';
import { expect } from 'vitest';
import { type Fault, lastingFailure } from '../../domain/retry.js';
import { GatewayFault } from '../../gateways/http/fault.js';

/** As a gateway without an answer: the retries of its class follow. */
export const fails = (fault: Fault) => new GatewayFault('payment', fault, 'scripted');
/** As Postgres refuses values: only a person can remove the cause. */
export const lasts = () => ApplicationFailure.create({ type: lastingFailure, message: 'scripted: refused for good' });

/** An activity that throws this at each call. */
export const always = (error: () => Error) => () => {
  throw error();
};

/** Answers one after the other, the last for ever. An error is thrown. */
export function oneAfterTheOther<T>(...answers: readonly (T | Error)[]): () => T {
  let next = 0;
  return () => {
    const answer = answers[Math.min(next++, answers.length - 1)];
    if (answer instanceof Error) throw answer;
    return answer as T;
  };
}

/** A card's authorization, as an activity returns it. */
export const authorized = { kind: 'authorized', authorizationId: 'auth_1', heldTaskMs: 0 };
export const captured = { kind: 'captured' };

/** Each call was asked with the same: a repetition has the key of the first. */
export function expectSame(calls: readonly unknown[]): void {
  expect(calls.length).toBeGreaterThan(1);
  for (const call of calls) expect(call).toEqual(calls[0]);
}
