/**
 * Command lines that make no sense, told as every other error is.
 * @module
 */
import type { Command, CommanderError } from 'commander'
import { CliError } from './errors.ts'

/** What commander complains about, as an error of ours. */
export function usageError(program: Command, args: readonly string[], { code, message }: CommanderError): CliError {
  const { command, stray } = commandIn(program, args)
  const path = pathOf(command)
  const remedy = `\`${path} --help\` explains the command`
  if (code === 'commander.help') return new CliError('CLI_USAGE', `${path} needs a command`, remedy)
  // Where one command stands for none, commander takes an unknown one for its argument.
  if (code === 'commander.excessArguments' && command.commands.length > 0 && stray !== undefined) {
    return new CliError('CLI_USAGE', `unknown command '${stray}'`, remedy)
  }
  const [first = ''] = message.replace(/^error: /, '').split('\n')
  return new CliError('CLI_USAGE', first.replace(/\.$/, ''), remedy)
}

/** The command that the words lead to, and the first word that is none. */
function commandIn(program: Command, args: readonly string[]): { readonly command: Command; readonly stray?: string } {
  let command = program
  for (const word of args) {
    if (word.startsWith('-')) continue
    const next = command.commands.find((one) => one.name() === word)
    if (next === undefined) return { command, stray: word }
    command = next
  }
  return { command }
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`
}
