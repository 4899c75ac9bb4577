import type { Command } from 'commander'
import { MemoryRegistry } from '../../registry/memory.ts'
import { serveRegistry } from '../../registry/server.ts'
import { daemonLog } from '../log.ts'
import { aborted, endSignal } from '../signals.ts'

/** `weft registry`: the stand-alone registry as a daemon. */
export function registerRegistry(program: Command): void {
  program
    .command('registry')
    .summary('keep the cluster’s state for agents and controller (stand-alone)')
    .description(
      'Serves the shared state of a cluster over a unix socket: what the Kubernetes API is in production. The state is ' +
        'kept in memory and ends with the process. The socket is its owner’s alone.',
    )
    .requiredOption('--socket <path>', 'where to listen; a socket that nobody serves is replaced')
    .action(async ({ socket }: { readonly socket: string }) => {
      const signal = endSignal()
      const log = daemonLog('registry')
      // Agents that outlive this process must not take its next life's revisions for the old ones.
      const registry = new MemoryRegistry({ revision: Date.now() })
      const server = await serveRegistry(registry, { path: socket })
      log.info({ socket }, 'listening')
      await aborted(signal)
      await server.stop()
    })
}
