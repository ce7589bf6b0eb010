/** The mailbox over HTTP: GET /mail[?to=]. */
import { Router } from 'express';
import { BadRequest } from '../http.js';
import type { Mailbox } from './mailbox.js';

export function mailRoutes(mailbox: Mailbox): Router {
  const routes = Router();
  routes.get('/mail', async (req, res) => {
    const { to } = req.query;
    if (to !== undefined && typeof to !== 'string') throw new BadRequest(422, 'validation_failed', 'to: one at most');
    res.json(await mailbox.list(to));
  });
  return routes;
}
