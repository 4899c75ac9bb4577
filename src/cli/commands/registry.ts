import type { Command } from 'commander'
import { lockFile } from '../../linux/index.ts'
import { aborted } from '../../registry/backoff.ts'
import { startStandaloneRegistry } from '../../registry/standalone.ts'
import { daemonLog } from '../log.ts'
import { endSignal } from '../signals.ts'

interface Options {
  readonly socket: string
  readonly state?: string
}

/** `weft registry`: the stand-alone registry as a daemon. */
export function registerRegistry(program: Command): void {
  program
    .command('registry')
    .summary('keep the cluster’s state for agents and controller (stand-alone)')
    .description(
      'Serves the shared state of a cluster over a unix socket: what the Kubernetes API is in production. The socket is ' +
        'its owner’s alone.',
    )
    .requiredOption('--socket <path>', 'where to listen; a socket that nobody serves is replaced')
    .option('--state <file>', 'keep the state in this file; without it, it ends with the process')
    .action(run)
}

async function run({ socket, state }: Options): Promise<void> {
  const signal = endSignal()
  const log = daemonLog('registry')
  const kept = state === undefined ? {} : { state: { path: state, lock: lockFile } }
  const server = await startStandaloneRegistry({ path: socket, now: Date.now(), ...kept })
  log.info({ socket, ...(state === undefined ? {} : { state }) }, 'listening')
  await aborted(signal)
  await server.stop()
}
