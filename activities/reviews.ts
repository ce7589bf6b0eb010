/** The queue of cases for people. */
import type { Database } from '../db/postgres/client.js';
import { closeReview, type NewReview, openReview } from '../db/reviews/reviews.js';
import type { ReviewResolution } from '../domain/reviews.js';
import { presentable } from '../gateways/http/fault.js';

export function reviewActivities(db: Database) {
  return {
    /** Opens a case; the same id again changes nothing. Whatever the case tells, it can be stored. */
    openReview: (review: NewReview) =>
      openReview(db, { ...review, lastError: review.lastError === null ? null : presentable(review.lastError) }),
    /** Closes a case; one that is closed stays as it is. */
    closeReview: async (id: string, resolution: ReviewResolution): Promise<void> => {
      await closeReview(db, id, resolution);
    },
  };
}

export type ReviewActivities = ReturnType<typeof reviewActivities>;
