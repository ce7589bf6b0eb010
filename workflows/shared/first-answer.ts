/**
 * What those wait for who asked for a workflow's first decision. It is a promise and no condition: a worker looks at each
 * condition after each change of anything, from outside of the workflow's sandbox, and to enter that is not cheap.
 */
export class FirstAnswer<T> {
  readonly given: Promise<T>;
  /** The first answer stands. */
  readonly give: (answer: T) => void;

  constructor() {
    let give: (answer: T) => void = () => undefined;
    this.given = new Promise((resolve) => {
      give = resolve;
    });
    this.give = give;
  }
}
