/**
 * The command line: parses, runs one command, turns what happened into an exit code.
 * @module
 */
import { Command, CommanderError } from 'commander'
import { version } from '../../package.json'
import { COMMANDS } from './commands/index.ts'
import { describeError, errorToJson } from './errors.ts'
import { EXIT, EXIT_CODES_HELP, exitCodeOf } from './exit-codes.ts'

/** Runs a command line without the program's name. Never throws; resolves to the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  const program = createProgram()
  try {
    await program.parseAsync([...args], { from: 'user' })
    return Number(process.exitCode ?? EXIT.ok)
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    report(error, args)
    return exitCodeOf(error)
  }
}

/** The program with every command. */
export function createProgram(): Command {
  const program = new Command('weft')
    .description('Attaches Kubernetes pods to the network a site already has, and can explain what it does.')
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'explain a command')
    .helpCommand('help [command]', 'explain a command')
    .exitOverride()
    .enablePositionalOptions()
    .showHelpAfterError('(--help explains the command)')
    .configureHelp({ sortSubcommands: false, showGlobalOptions: false })
    .addHelpText('after', `\n${EXIT_CODES_HELP}\n\nTry it on this machine: weft play`)
  for (const register of COMMANDS) register(program)
  return program
}

function report(error: unknown, args: readonly string[]): void {
  // What follows `--` belongs to another program.
  const ours = args.includes('--') ? args.slice(0, args.indexOf('--')) : args
  if (ours.includes('--json')) process.stdout.write(`${JSON.stringify(errorToJson(error))}\n`)
  process.stderr.write(`weft: ${describeError(error)}\n`)
}
