/** Settings of the test run's stack that tests need to know. */

/** Of the Stripe webhook: one replaces the other. */
export const webhookSecrets = ['whsec_test_new', 'whsec_test_old'] as const;
