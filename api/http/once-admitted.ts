/** Holds back calls that start sagas until they are admitted. Nothing is written about a call before that. */
import type { Admission, Entry, Request } from '../admission/admission.js';
import type { KeyedOutcome, Rendered } from '../middleware/idempotency.js';

export type AdmittedOutcome =
  | KeyedOutcome
  /** Refused admission: nothing was done. */
  | { readonly kind: 'busy'; readonly entry: Extract<Entry, { kind: 'refused' }> }
  /** The client hung up. */
  | { readonly kind: 'gone' };

/**
 * Calls `act` once the call has a place.
 * @param act takes the rest of the client's wait
 */
export async function onceAdmitted(
  admission: Pick<Admission, 'enter'>,
  request: Request,
  act: (waitMs: number) => Promise<KeyedOutcome>,
): Promise<AdmittedOutcome> {
  const entry = await admission.enter(request);
  if (entry.kind === 'refused') return { kind: 'busy', entry };
  if (entry.kind === 'gone') return entry;
  const { place } = entry;
  let bySaga = false;
  try {
    const outcome = await act(place.waitMs);
    bySaga = outcome.kind === 'rendered' && comesFromSaga(outcome.rendered);
    return outcome;
  } finally {
    if (bySaga && place.waitMs === 0) place.leaveLater();
    else place.leave(bySaga);
  }
}

/**
 * Whether the answer shows how fast sagas are. Other refusals may come from a check before the saga starts, and if a server
 * is down nothing is known.
 */
function comesFromSaga({ status }: Rendered): boolean {
  return status < 400 || status === 402;
}
