/**
 * The playground's own daemon: holds the echo servers of pods, nodes and the host outside. It knows what to serve from
 * the folder alone; whoever changes that asks it to look again.
 * @module
 */
import { type EchoServer, serveEcho } from './echo-server.ts'
import { PlaygroundError } from './errors.ts'
import { inodeOf } from './lab/namespaces.ts'
import { ECHO_PORT, type Layout, netnsPath, nodeLayouts } from './layout.ts'
import { startProcess } from './processes.ts'
import { selfCommand } from './self.ts'
import { listSandboxes, readState } from './state.ts'

/** Serves until the signal aborts. */
export async function runDaemon(layout: Layout, signal: AbortSignal): Promise<void> {
  const servers = new Map<string, EchoServer>()
  const before = process.umask(0o177)
  const server = Bun.serve({
    unix: layout.daemonSocket,
    fetch: () => Response.json({ problems: reconcile(servers, wantedServers(layout)) }),
  })
  process.umask(before)
  if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }))
  for (const each of servers.values()) each.close()
  await server.stop(true)
}

/** Starts the daemon as a process of its own and returns its number. */
export function runDaemonProcess(layout: Layout): number {
  return startProcess(layout, { role: 'daemon', argv: selfCommand('play', 'daemon', '--run-dir', layout.runDir) })
}

/** Has the daemon look again; resolves when every server is as the folder says. Throws PLAY_NOT_RUNNING, PLAY_PROCESS. */
export async function syncDaemon(layout: Layout): Promise<void> {
  const problems = await askDaemon(layout.daemonSocket)
  if (problems.length === 0) return
  throw new PlaygroundError(
    'PLAY_PROCESS',
    `an echo server is missing: ${problems.join('; ')}`,
    '`weft play down`, then `weft play`',
  )
}

interface Wanted {
  readonly key: string
  readonly name: string
  readonly netns: string
}

async function askDaemon(socket: string): Promise<readonly string[]> {
  try {
    const response = await fetch('http://daemon/sync', {
      method: 'POST',
      unix: socket,
      signal: AbortSignal.timeout(10_000),
    })
    const answer = (await response.json()) as { readonly problems: readonly string[] }
    return answer.problems
  } catch (cause) {
    const remedy = '`weft play down`, then `weft play`'
    throw new PlaygroundError('PLAY_NOT_RUNNING', "the playground's daemon does not answer", remedy, { cause })
  }
}

function wantedServers(layout: Layout): readonly Wanted[] {
  const nodes = nodeLayouts(layout, readState(layout)?.shape.nodes ?? 0)
  const places = [
    { name: 'outside', netns: layout.outsideNetns },
    ...nodes.map(({ name, netns }) => ({ name, netns })),
    ...listSandboxes(layout).map((each) => ({ name: `${each.namespace}/${each.name}`, netns: each.netns })),
  ]
  return places.flatMap(({ name, netns }) => {
    const inode = inodeOf(netnsPath(netns))
    // A namespace that was made anew under its old name needs a new server.
    return inode === undefined ? [] : [{ key: `${netns} ${inode} ${name}`, name, netns: netnsPath(netns) }]
  })
}

function reconcile(servers: Map<string, EchoServer>, wanted: readonly Wanted[]): readonly string[] {
  const keys = new Set(wanted.map(({ key }) => key))
  for (const [key, server] of servers) {
    if (keys.has(key)) continue
    server.close()
    servers.delete(key)
  }
  return wanted.flatMap(({ key, name, netns }) => {
    if (servers.has(key)) return []
    try {
      servers.set(key, serveEcho(netns, ECHO_PORT, name))
      return []
    } catch (error) {
      return [`${name}: ${error instanceof Error ? error.message : error}`]
    }
  })
}
