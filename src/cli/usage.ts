/**
 * Command lines that make no sense, told as every other error is.
 * @module
 */
import type { Command, CommanderError } from 'commander'
import { nearest } from '../settings/nearest.ts'
import { type CliError, usage } from './errors.ts'

/** What commander complains about, as an error of ours. */
export function usageError(program: Command, args: readonly string[], { code, message }: CommanderError): CliError {
  const { command, stray } = commandIn(program, args)
  const path = pathOf(command)
  const remedy = `\`${path} --help\` explains the command`
  if (code === 'commander.help') return usage(`${path} needs a command`, remedy)
  // Where one command stands for none, commander takes an unknown one for its argument.
  const isCommand = code === 'commander.unknownCommand' || code === 'commander.excessArguments'
  if (isCommand && command.commands.length > 0 && stray !== undefined) {
    const meant = nearest(stray, commandNames(command))
    return usage(`unknown command '${stray}'`, meaning(meant && `${path} ${meant}`, remedy))
  }
  const [first = ''] = message.replace(/^error: /, '').split('\n')
  const cause = first.replace(ARGUMENT, "'$<value>' is no <$<name>>: ").replace(/\.$/, '')
  const flag = code === 'commander.unknownOption' ? /'(--[^']+)'/.exec(first)?.[1] : undefined
  return usage(cause, meaning(flag && nearest(flag, flagsOf(command)), remedy))
}

/** How commander begins to say that an argument is not what it should be. */
const ARGUMENT = /^command-argument value '(?<value>.*)' is invalid for argument '(?<name>[^']*)'\. /

function meaning(meant: string | undefined, remedy: string): string {
  return meant === undefined || meant === '' ? remedy : `did you mean ${meant}? ${remedy}`
}

function commandNames(command: Command): readonly string[] {
  return command.commands.map((one) => one.name())
}

function flagsOf(command: Command): readonly string[] {
  return command.options.flatMap(({ long }) => long ?? [])
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
