/**
 * The call stacks that the Web UI shows of a workflow that waits. The SDK takes one for each promise that a workflow makes,
 * by `new Error()`: a third of the sandbox's time for an order in one call, and nobody sees them, since the order ends in
 * the task that it began in. Each workflow has its own globals, so this changes nothing for others.
 */

const traced = Error;

/** An Error without arguments, which only the SDK makes, has no stack. All others are as ever. */
const untraced: ErrorConstructor = new Proxy(traced, {
  construct(target, args, made) {
    if (made !== untraced) return Reflect.construct(target, args, made);
    return args.length === 0 ? { stack: undefined } : Reflect.construct(target, args);
  },
});

/** Until the workflow waits for something that may take long. */
export function hideCallStacks(): void {
  globalThis.Error = untraced;
}

export function showCallStacks(): void {
  globalThis.Error = traced;
}
