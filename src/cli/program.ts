/**
 * The command line: parses, runs one command, turns what happened into an exit code.
 * @module
 */
import { Command, CommanderError } from 'commander'
import { description, version } from '../../package.json'
import { withTypedCommands } from '../playground/self.ts'
import { COMMANDS } from './commands/index.ts'
import { describeError, errorToJson } from './errors.ts'
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts'
import { SENTENCES } from './sentences.ts'
import { usageError } from './usage.ts'

/** Runs a command line without the program's name. Never throws; resolves to the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = createProgram()
  try {
    await program.parseAsync([...args], { from: 'user' })
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok
    const told = error instanceof CommanderError ? usageError(program, args, error) : error
    report(told, args)
    return exitCodeOf(told)
  }
}

/** The program with every command. */
export function createProgram(): Command {
  const program = new Command('weft')
    .description(`${description}.`)
    .version(version, '-V, --version', 'Print the version.')
    .helpOption('-h, --help', 'Explain a command.')
    .helpCommand('help [command]', 'Explain a command.')
    .exitOverride()
    .enablePositionalOptions()
    // Errors are reported below, all in the same way.
    .configureOutput({ outputError: () => undefined })
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false, ...SENTENCES })
    .addHelpText('after', `\n${EXIT_CODES_HELP}\n\nTry it on this machine: weft play`)
  for (const register of COMMANDS) register(program)
  return program
}

function report(error: unknown, args: readonly string[]): void {
  // What follows `--` belongs to another program.
  const ours = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  const asTyped = (text: string): string => withTypedCommands(text, runDirIn(ours))
  if (ours.includes('--json')) process.stdout.write(`${JSON.stringify(errorToJson(error, asTyped))}\n`)
  process.stderr.write(`weft: ${describeError(error, asTyped)}\n`)
}

function runDirIn(args: readonly string[]): string | undefined {
  const at = args.findIndex((word) => word === '--run-dir' || word.startsWith('--run-dir='))
  return at < 0 ? undefined : args[at]?.includes('=') ? args[at]?.slice('--run-dir='.length) : args[at + 1]
}
