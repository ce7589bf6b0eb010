/** The queue of cases for people. */
import type { Database } from '../db/client.js';
import { closeReview, type NewReview, openReview, type ReviewResolution } from '../db/reviews.js';

export function reviewActivities(db: Database) {
  return {
    /** Opens a case; the same id again changes nothing. */
    openReview: (review: NewReview) => openReview(db, review),
    /** Closes a case; one that is closed stays as it is. */
    closeReview: async (id: string, resolution: ReviewResolution): Promise<void> => {
      await closeReview(db, id, resolution);
    },
  };
}

export type ReviewActivities = ReturnType<typeof reviewActivities>;
