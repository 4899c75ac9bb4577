import { Argument, type Command } from 'commander'
import { AGENT_DEFAULTS } from '../../agent/options.ts'
import { CliError } from '../errors.ts'
import { EXIT } from '../exit-codes.ts'
import { wholeNumber } from '../numbers.ts'

interface HealthOptions {
  readonly runDir: string
  readonly live?: boolean
  readonly timeout: number
  readonly json?: boolean
}

/** What a daemon says on its socket. */
interface Health {
  readonly ready: boolean
  readonly waitingFor: readonly string[]
}

/** `weft health`: what probes ask. */
export function registerHealth(program: Command): void {
  program
    .command('health')
    .summary('ask a daemon on this machine whether it is well (for probes)')
    .description(
      'Asks the agent or the controller of this machine. The agent is ready when pods can be attached and reach others: the ' +
        'switch holds the plan and answers, the ways to other machines are known. A controller that leads is ready ' +
        'once it has read the cluster, one that waits for its turn while it knows of another one that leads.',
    )
    .addArgument(new Argument('<daemon>', 'whom to ask').choices(['agent', 'controller']))
    .option('--run-dir <path>', 'folder of its socket', AGENT_DEFAULTS.runDir)
    .option('--live', 'only whether it answers at all')
    .option('--timeout <seconds>', 'how long to wait for the answer', wholeNumber(1, 60), 3)
    .option('--json', 'print the answer as JSON')
    .action(run)
}

async function run(daemon: 'agent' | 'controller', options: HealthOptions): Promise<void> {
  const socket = `${options.runDir}/${daemon}.sock`
  const health = await ask(socket, options.timeout * 1000)
  if (health === undefined) throw silent(daemon, socket)
  if (options.json === true) console.log(JSON.stringify(health))
  else console.log(textOf(daemon, health))
  if (options.live !== true && !health.ready) process.exitCode = EXIT.failed
}

function silent(daemon: string, socket: string): CliError {
  const elsewhere = daemon === 'agent' ? '; a playground’s is asked by --run-dir /run/weft-play/<node>/agent' : ''
  const remedy = `start weft ${daemon}, or name its folder: --run-dir${elsewhere}`
  return new CliError('CLI_NOT_RUNNING', `the ${daemon} does not answer at ${socket}`, remedy)
}

function textOf(daemon: string, health: Health): string {
  return health.ready ? `the ${daemon} is ready` : `the ${daemon} waits for ${health.waitingFor.join('; ')}`
}

async function ask(socket: string, timeout: number): Promise<Health | undefined> {
  try {
    const response = await fetch('http://daemon/health', { unix: socket, signal: AbortSignal.timeout(timeout) })
    return healthIn(await response.json())
  } catch {
    return undefined
  }
}

function healthIn(answer: unknown): Health | undefined {
  if (typeof answer !== 'object' || answer === null) return undefined
  const { ready, waitingFor } = answer as { readonly ready?: unknown; readonly waitingFor?: unknown }
  if (typeof ready !== 'boolean' || !Array.isArray(waitingFor)) return undefined
  return { ready, waitingFor: waitingFor.map(String) }
}
