/** How the help of a command is laid out. */
import { type Command, Help, type Option } from 'commander';

/** Options shared by many commands come after the command's own. */
const shared = ['idempotencyKey', 'wait', 'limit', 'cursor', 'help'];

const rank = (option: Option) => (option.mandatory ? -1 : shared.indexOf(option.attributeName()) + 1);

/** Required options come first and are marked as required. */
export const helpLayout: Partial<Help> = {
  showGlobalOptions: true,
  visibleOptions: (command: Command) =>
    Help.prototype.visibleOptions.call(new Help(), command).sort((one, other) => rank(one) - rank(other)),
  optionDescription: (option: Option) => {
    const description = Help.prototype.optionDescription.call(new Help(), option);
    return option.mandatory ? `${description} (required)` : description;
  },
};
