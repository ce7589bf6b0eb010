/** Opening and closing reviews. */
import type { Database } from '../db/postgres/client.js';
import { closeReview, type NewReview, openReview } from '../db/reviews/reviews.js';
import type { ReviewResolution } from '../domain/reviews.js';
import { presentable } from '../gateways/http/fault.js';

export function reviewActivities(db: Database) {
  return {
    /** Opens a review; the same id again changes nothing. `lastError` is cut to a form that Postgres can store. */
    openReview: (review: NewReview) =>
      openReview(db, { ...review, lastError: review.lastError === null ? null : presentable(review.lastError) }),
    /** Closes a review; a closed one stays unchanged. */
    closeReview: async (id: string, resolution: ReviewResolution): Promise<void> => {
      await closeReview(db, id, resolution);
    },
  };
}

export type ReviewActivities = ReturnType<typeof reviewActivities>;
