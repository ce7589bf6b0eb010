/**
 * `POST /webhooks/stripe`: keeps each signed event once, before the answer 200. It needs no API key: the signature shows who
 * sent it. The rule about card numbers does not apply: an event holds numbers of card networks that look like one, and
 * nothing of the body is kept but the ids.
 */
import type { Express, Request, RequestHandler } from 'express';
import { Counter } from 'prom-client';
import { keepEvents } from '../../db/payments/inbox.js';
import { refusal } from '../../domain/errors.js';
import { readStripeEvent } from '../../domain/payments/stripe-events.js';
import type { ApiDeps } from '../deps.js';
import { stateOf } from '../http/request-state.js';
import { maxBodyBytes, readBodyUpTo } from '../middleware/body.js';
import { otherMethods, routeFound } from '../middleware/methods.js';
import { sendRefusal } from '../middleware/problem.js';
import { isSigned, readSignature } from './signature.js';

const stripeWebhookPath = '/webhooks/stripe';

const badSignature = refusal('malformed_json', 'the signature is missing, wrong or too old; nothing was kept');
const notJson = refusal('malformed_json', 'the body is not JSON in UTF-8');

export function mountStripeWebhook(app: Express, deps: ApiDeps): void {
  const { addresses, connection, metrics } = deps;
  const { webhookSecrets, installation } = deps.settings.stripe;
  const events = new Counter({
    name: 'holdfast_processor_events_total',
    help: 'Signed events of card processors: stored, repeated, or stored as foreign, unknown or unreadable.',
    labelNames: ['gateway', 'outcome'],
    registers: [metrics.registry],
  });

  /** Callers without a signature are limited by their address, before their body is read. */
  const limit: RequestHandler = async (req, res, next) => {
    const refused = await addresses.count(req, res);
    if (refused) sendRefusal(req, res, refused);
    else if (signatureOf(req) === null) sendRefusal(req, res, badSignature);
    else next();
  };

  const keep: RequestHandler = async (req, res) => {
    const body = Buffer.isBuffer(req.body) ? req.body : Buffer.alloc(0);
    const signature = signatureOf(req);
    if (signature === null || !isSigned(body, signature, webhookSecrets)) return sendRefusal(req, res, badSignature);
    await addresses.forgive(req, res);
    const value = parsed(body);
    if (value === undefined) return sendRefusal(req, res, notJson);
    const event = readStripeEvent(value, installation);
    const [outcome = 'unreadable'] = event === null ? [] : await keepEvents(connection.sql, [event]);
    events.inc({ gateway: 'stripe', outcome });
    Object.assign(stateOf(req).logged, { outcome, ...(event && { eventId: event.id, eventType: event.type }) });
    res.json({ received: true });
  };

  app
    .route(stripeWebhookPath)
    .all(routeFound(stripeWebhookPath))
    .post(limit, readBodyUpTo(maxBodyBytes), keep)
    .all(otherMethods(['post']));
}

function signatureOf(req: Request) {
  return readSignature(req.get('Stripe-Signature'), Date.now());
}

const utf8 = new TextDecoder('utf-8', { fatal: true });

/** Undefined if it is not JSON. */
function parsed(body: Buffer): unknown {
  try {
    return JSON.parse(utf8.decode(body));
  } catch {
    return undefined;
  }
}
