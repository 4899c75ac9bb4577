/**
 * Help texts as sentences, wherever they come from.
 * @module
 */
import { type Command, Help, type Option } from 'commander'

const ORDINARY = new Help()

/** Settings of commander's help: every description begins with a capital letter and ends with a full stop, in a column however narrow. */
export const SENTENCES: Partial<Help> = {
  minWidthToWrap: 20,
  subcommandDescription: (command: Command) => sentence(ORDINARY.subcommandDescription(command)),
  commandDescription: (command: Command) => sentence(ORDINARY.commandDescription(command)),
  argumentDescription: (argument) => sentence(ORDINARY.argumentDescription(argument)),
  optionDescription: (option: Option) => {
    const { description } = option
    const remarks = ORDINARY.optionDescription(option).slice(description.length).replace(/"/g, '')
    return `${sentence(description)}${remarks}`
  },
}

/** A text with a capital letter and a full stop. Words that are typed as they stand keep their first letter: `unix:PATH`, `clouds.yaml`. */
export function sentence(text: string): string {
  if (text === '') return ''
  const [first = ''] = text.split(' ')
  const start = /[/$\d-]|[:.]\S/.test(first) ? text : `${text.charAt(0).toUpperCase()}${text.slice(1)}`
  return /[.!?]$/.test(start) ? start : `${start}.`
}
