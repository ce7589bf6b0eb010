/** The fraud scorer over HTTP: POST /fraud/score. It is stateless. */
import { Router } from 'express';
import { z } from 'zod';
import { check, jsonBody } from '../http.js';

const scoreBody = z.strictObject({
  // Tokens of any processor: Stripe's payment methods too.
  token: z
    .string()
    .max(255)
    .regex(/^(?:tok|pm)_/),
  amount: z.int().min(0).max(99_999_999),
  currency: z.string().regex(/^[A-Z]{3}$/),
  reference: z.string().min(1).max(255),
  customerId: z.string().max(255).nullable(),
});

/** The risk of a card, 0 to 1, scripted by its token. */
function scoreOf(token: string): number {
  if (token === 'tok_fraud') return 0.9;
  const hundredths = /^tok_risk_(\d\d)$/.exec(token)?.[1];
  return hundredths === undefined ? 0.1 : Number(hundredths) / 100;
}

/** @param tokenOf the token that a processor's payment method was made from; the same one where it was made from none */
export function fraudRoutes(tokenOf: (token: string) => string): Router {
  const routes = Router();
  routes.post('/fraud/score', jsonBody, (req, res) => {
    res.json({ score: scoreOf(tokenOf(check(scoreBody, req.body).token)) });
  });
  return routes;
}
