/**
 * The answer to the update that starts a workflow. A promise, not a condition: a worker evaluates every condition after
 * each activation, and each evaluation enters the workflow's sandbox, which is expensive.
 */
export class FirstAnswer<T> {
  readonly given: Promise<T>;
  /** Later calls have no effect. */
  readonly give: (answer: T) => void;

  constructor() {
    let give: (answer: T) => void = () => undefined;
    this.given = new Promise((resolve) => {
      give = resolve;
    });
    this.give = give;
  }
}
