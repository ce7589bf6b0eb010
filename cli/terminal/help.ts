/** How the help of a command is laid out. */
import { type Command, Help, type Option } from 'commander';

/** Options that many commands share come after those of the command itself. */
const shared = ['idempotencyKey', 'wait', 'limit', 'cursor', 'help'];

const rank = (option: Option) => (option.mandatory ? -1 : shared.indexOf(option.attributeName()) + 1);

/** Required options first, and named as such. */
export const helpLayout: Partial<Help> = {
  showGlobalOptions: true,
  visibleOptions: (command: Command) =>
    Help.prototype.visibleOptions.call(new Help(), command).sort((one, other) => rank(one) - rank(other)),
  optionDescription: (option: Option) => {
    const description = Help.prototype.optionDescription.call(new Help(), option);
    return option.mandatory ? `${description} (required)` : description;
  },
};
