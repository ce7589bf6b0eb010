import { describe, expect, test } from 'vitest';
import { parseSettings } from './settings.js';

describe('settings', () => {
  test('an empty environment gives the documented defaults', () => {
    expect(parseSettings({})).toMatchObject({
      kind: 'settings',
      settings: {
        apiHost: '127.0.0.1',
        apiPort: 3000,
        apiPortFixed: false,
        reservationTtlSeconds: 900,
        draftTtlSeconds: 86_400,
        retryBaseScale: 1,
        gatewayTimeoutSeconds: 10,
        gatewayAllowHosts: [],
        workers: 1,
        workflowTaskTimeoutSeconds: 5,
        outboxClaimSeconds: 10,
        restartMaxWaitSeconds: 2.5,
        rateLimitPerMinute: 6000,
        unauthenticatedRateLimitPerMinute: 600,
        trustedProxies: [],
        metricsHost: '127.0.0.1',
        logLevel: 'info',
      },
    });
  });

  test('every wrong setting is reported with its value', () => {
    const result = parseSettings({
      API_PORT: '70000',
      WORKERS: '1.5',
      LOG_LEVEL: 'loud',
      TEMPORAL_ADDRESS: 'nowhere',
      RETRY_BASE_SCALE: ' 1',
      GATEWAY_ALLOW_HOSTS: 'supplier:80,http://beans',
      API_HOST: 'my host',
      TRUSTED_PROXIES: '10.0.0.0/8, everybody',
      WORKFLOW_TASK_TIMEOUT_SECONDS: '0.5',
      OUTBOX_CLAIM_SECONDS: '0',
      RESTART_MAX_WAIT_SECONDS: '-1',
    });
    expect(result.kind).toBe('wrong');
    const text = result.kind === 'wrong' ? result.problems.join('\n') : '';
    for (const name of [
      'API_PORT',
      'WORKERS',
      'LOG_LEVEL',
      'TEMPORAL_ADDRESS',
      'RETRY_BASE_SCALE',
      'GATEWAY_ALLOW_HOSTS',
      'API_HOST',
      'TRUSTED_PROXIES',
      'WORKFLOW_TASK_TIMEOUT_SECONDS must be a number from 1 to 60, not "0.5"',
      'OUTBOX_CLAIM_SECONDS must be a number from 2 to 300, not "0"',
      'RESTART_MAX_WAIT_SECONDS must be a number from 0.1 to 60, not "-1"',
    ])
      expect(text).toContain(name);
    expect(text).toContain('"70000"');
    expect(text).toContain('"http://beans"');
  });

  test('Stripe needs its key, and an unknown card processor is refused', () => {
    expect(parseSettings({ PAYMENT_GATEWAY: 'sandbox' })).toMatchObject({ settings: { paymentGateway: 'sandbox' } });
    expect(parseSettings({ PAYMENT_GATEWAY: 'stripe' })).toEqual({
      kind: 'wrong',
      problems: ['STRIPE_SECRET_KEY must be set where PAYMENT_GATEWAY is stripe'],
    });
    expect(parseSettings({ PAYMENT_GATEWAY: 'abacus' })).toEqual({
      kind: 'wrong',
      problems: ['PAYMENT_GATEWAY must be one of sandbox, stripe, not "abacus"'],
    });
  });

  test('the allowed hosts are a list that includes the sandbox', () => {
    const env = { GATEWAY_ALLOW_HOSTS: 'Beans.Example, [::1]:8080,10.0.0.1:80', SANDBOX_URL: 'http://127.0.0.1:3900' };
    expect(parseSettings(env)).toMatchObject({
      settings: {
        gatewayAllowHosts: [
          { host: 'beans.example', port: null },
          { host: '::1', port: 8080 },
          { host: '10.0.0.1', port: 80 },
          { host: '127.0.0.1', port: 3900 },
        ],
      },
    });
  });

  test('a wrong database address is reported without its value, which contains a password', () => {
    const result = parseSettings({ DATABASE_URL: 'mysql://me:secret@host/db' });
    expect(result).toMatchObject({ kind: 'wrong' });
    expect(JSON.stringify(result)).not.toContain('secret');
  });

  test('a port that was set is fixed', () => {
    expect(parseSettings({ API_PORT: '3000' })).toMatchObject({ settings: { apiPortFixed: true } });
  });
});
