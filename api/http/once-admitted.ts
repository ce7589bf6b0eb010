/** Calls that start sagas are carried out with a place, before which nothing about them is written. */
import type { Admission, Entry, Request } from '../admission/admission.js';
import type { KeyedOutcome, Rendered } from '../middleware/idempotency.js';

/**
 * Acts once there is a place.
 * @param act is given what is left of the client's wait
 */
export async function onceAdmitted(
  admission: Pick<Admission, 'enter'>,
  request: Request,
  act: (waitMs: number) => Promise<KeyedOutcome>,
): Promise<
  | KeyedOutcome
  | { readonly kind: 'busy'; readonly entry: Extract<Entry, { kind: 'refused' }> }
  | { readonly kind: 'gone' }
> {
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
 * Whether the answer tells how quick sagas are. Other refusals may come from a check before any saga is started, and where
 * a server is away nobody knows.
 */
function comesFromSaga({ status }: Rendered): boolean {
  return status < 400 || status === 402;
}
