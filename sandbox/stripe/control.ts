/**
 * What a test says to the Stripe face by hand: PUT, GET and DELETE /stripe-control/webhook; POST
 * /stripe-control/keys/expire, /stripe-control/events/:id/resend; POST and DELETE /stripe-control/call-faults and
 * /stripe-control/webhook-faults.
 */
import { Router } from 'express';
import { z } from 'zod';
import { BadRequest, check, jsonBody } from '../http.js';
import type { Deliveries } from './deliveries.js';
import { type CallFaults, callFault, webhookFault } from './faults.js';
import type { Ledger } from './ledger.js';

const webhookBody = z.strictObject({
  url: z.url({ protocol: /^https?$/ }).max(2000),
  /** Two, by comma, while one replaces the other: each event is signed with both. */
  secret: z.string().min(1).max(500),
});
const expireBody = z.strictObject({ key: z.string().min(1).max(255).nullable().default(null) }).default({ key: null });

export function controlRoutes(ledger: Ledger, deliveries: Deliveries, faults: CallFaults): Router {
  const routes = Router();
  const webhook = () => {
    const { asked } = ledger;
    return { url: asked.webhook?.url ?? null, events: asked.events.size, unsent: asked.unsent.size };
  };
  routes.put('/stripe-control/webhook', jsonBody, async (req, res) => {
    const { url, secret } = check(webhookBody, req.body);
    await ledger.post({ type: 'webhook', at: Date.now(), url, secret });
    res.json(webhook());
  });
  routes.delete('/stripe-control/webhook', async (_req, res) => {
    await ledger.post({ type: 'webhook', at: Date.now(), url: null, secret: '' });
    res.json(webhook());
  });
  routes.get('/stripe-control/webhook', (_req, res) => {
    res.json(webhook());
  });
  routes.post('/stripe-control/events/:id/resend', async (req, res) => {
    const delivered = await deliveries.resend(String(req.params.id));
    if (delivered === null) throw new BadRequest(404, 'unknown_event', 'there is no such event');
    res.json({ delivered });
  });
  routes.post('/stripe-control/keys/expire', jsonBody, async (req, res) => {
    const { key } = check(expireBody, req.body);
    await ledger.post({ type: 'keys_expired', at: Date.now(), key });
    res.json({ key });
  });
  routes.post('/stripe-control/call-faults', jsonBody, (req, res) => {
    const fault = check(callFault, req.body);
    faults.add(fault);
    res.status(201).json(fault);
  });
  routes.delete('/stripe-control/call-faults', (_req, res) => {
    faults.clear();
    res.status(204).end();
  });
  routes.post('/stripe-control/webhook-faults', jsonBody, (req, res) => {
    const fault = check(webhookFault, req.body);
    deliveries.addFault(fault);
    res.status(201).json(fault);
  });
  routes.delete('/stripe-control/webhook-faults', (_req, res) => {
    deliveries.clearFaults();
    res.status(204).end();
  });
  return routes;
}
