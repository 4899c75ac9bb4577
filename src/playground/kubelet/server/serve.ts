/**
 * The program of a container that names none: it serves the container's ports, and tells who it is and who it saw.
 * @module
 */
import { parseArgs } from 'node:util'
import { aborted } from '../../../registry/backoff.ts'
import { ECHO_PORT } from '../../layout.ts'
import type { Identity } from './identity.ts'
import { listenTcp } from './tcp.ts'
import { listenUdp } from './udp.ts'

/** What to serve. */
export interface ServeOptions extends Identity {
  readonly tcp: readonly number[]
  readonly udp: readonly number[]
  /** Served as well unless somebody else in the pod does: what the playground's table measures. */
  readonly extra?: number
}

/** Serves until the signal aborts. Rejects when a port of the container's own is taken. */
export async function serve(options: ServeOptions, signal: AbortSignal): Promise<void> {
  const told = (line: string): void => void process.stdout.write(`${line}\n`)
  const servers: { close(): void }[] = []
  for (const port of options.tcp) servers.push(listenTcp(port, options, told))
  for (const port of options.udp) servers.push(await listenUdp(port, options, told))
  if (options.extra !== undefined && !options.tcp.includes(options.extra)) {
    try {
      servers.push(listenTcp(options.extra, options, told))
    } catch {
      told(`port ${options.extra} is served by somebody else`)
    }
  }
  const ports = [...options.tcp.map((port) => `TCP ${port}`), ...options.udp.map((port) => `UDP ${port}`)]
  told(`${options.name} serves ${ports.join(', ')}`)
  await aborted(signal)
  for (const server of servers) server.close()
}

/** The arguments that {@link parseServe} reads. */
export function serveArguments({ name, node, tcp, udp, extra }: ServeOptions): readonly string[] {
  return [
    ...['--name', name],
    ...(node === undefined ? [] : ['--on', node]),
    ...tcp.flatMap((port) => ['--tcp', String(port)]),
    ...udp.flatMap((port) => ['--udp', String(port)]),
    ...(extra === undefined ? [] : ['--extra', String(extra)]),
  ]
}

/** Reads the arguments of the program. Throws what node's parser throws. */
export function parseServe(args: readonly string[]): ServeOptions {
  const ports = { type: 'string', multiple: true, default: [] as string[] } as const
  const text = { type: 'string' } as const
  const { values } = parseArgs({
    args: [...args],
    options: { name: text, on: text, tcp: ports, udp: ports, extra: text },
  })
  const tcp = values.tcp.map(Number)
  return {
    name: values.name ?? 'somebody',
    ...(values.on === undefined ? {} : { node: values.on }),
    tcp: tcp.length + values.udp.length === 0 ? [ECHO_PORT] : tcp,
    udp: values.udp.map(Number),
    ...(values.extra === undefined ? {} : { extra: Number(values.extra) }),
  }
}
