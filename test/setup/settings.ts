/** Settings of the test run's stack that tests need to know. */

/** Of the Stripe webhook: one replaces the other. */
export const webhookSecrets = ['whsec_test_new', 'whsec_test_old'] as const;

/** All tests call from one address: a test that sends many calls without a valid key would keep new keys of others out. */
export const noRateLimits = {
  RATE_LIMIT_PER_MINUTE: '1000000',
  UNAUTHENTICATED_RATE_LIMIT_PER_MINUTE: '1000000',
};
