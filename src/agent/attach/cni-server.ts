/**
 * Serves container runtimes: every message on the socket is a call of the CNI plugin, forwarded by `weft-cni`.
 * @module
 */
import {
  CniError,
  type CniRequest,
  cniError,
  decodeWireRequest,
  encodeWireReply,
  MAX_REQUEST,
  parseRequest,
  printError,
  printResult,
  requestedVersion,
  toCniError,
  versionAnswer,
  type WireRequest,
} from '../../cni/index.ts'
import { closeFd, isNetns, listenSeqpacket, netnsSelf, type SeqpacketServer, sameNetns } from '../../linux/index.ts'
import type { AgentLog } from '../log.ts'
import type { Networks } from '../networks/networks.ts'
import type { PodNetns } from './endpoint-links.ts'

/** The pods' networks, or what the agent still waits for before it has any. */
export type NetworkSource = () =>
  | Pick<Networks, 'add' | 'del' | 'check' | 'gc' | 'status'>
  | { readonly waitingFor: string }

/** Serves CNI calls on a socket that only its owner may open. */
export function serveCni(path: string, networks: NetworkSource, log: AgentLog): SeqpacketServer {
  return listenSeqpacket({
    path,
    mode: 0o600,
    maxBytes: MAX_REQUEST,
    onRequest: async ({ data, fds, peer, reply }) => {
      try {
        // The socket's mode keeps others out; this holds even where somebody changed it.
        if (peer.uid !== 0 && peer.uid !== process.getuid?.()) throw cniError('agent-forbidden')
        reply(await answer(networks, data, fds, log))
      } catch (error) {
        reply(encodeReply(1, printError(error)))
      } finally {
        for (const fd of fds) closeFd(fd)
      }
    },
    onRefusal: (refusal, peer, error) =>
      log.warn({ refusal, pid: peer?.pid, error: String(error ?? '') }, 'CNI connection refused'),
  })
}

async function answer(
  networks: NetworkSource,
  data: Uint8Array,
  fds: readonly number[],
  log: AgentLog,
): Promise<Uint8Array> {
  const wire = decodeWireRequest(data)
  const started = performance.now()
  const verb = wire.environment.get('CNI_COMMAND') ?? ''
  const container = (wire.environment.get('CNI_CONTAINERID') ?? '').slice(0, 12)
  try {
    const output = await perform(networks, parseRequest(wire.environment, wire.input), wire, fds)
    log.debug({ verb, container, ms: Math.round((performance.now() - started) * 10) / 10 }, 'served')
    return encodeReply(0, output)
  } catch (error) {
    const told = toCniError(error)
    // Texts of unknown errors may hold anything: they go to the log, never to the runtime.
    const cause = error instanceof CniError ? undefined : error
    log.warn({ verb, container, id: told.id, code: told.code, cause: told.message, err: cause }, 'refused')
    return encodeReply(1, printError(error, requestedVersion(wire.input)))
  }
}

async function perform(
  source: NetworkSource,
  request: CniRequest,
  wire: WireRequest,
  fds: readonly number[],
): Promise<string> {
  if (request.verb === 'VERSION') return `${JSON.stringify(versionAnswer(request.requested))}\n`
  const networks = source()
  if ('waitingFor' in networks) {
    const { waitingFor: waiting } = networks
    throw request.verb === 'STATUS'
      ? cniError('status-not-ready', { reason: waiting })
      : cniError('agent-starting', { waiting })
  }
  const { program } = wire
  switch (request.verb) {
    case 'STATUS':
      await networks.status(request, program)
      return ''
    case 'GC':
      await networks.gc(request, program)
      return ''
    case 'DEL':
      await networks.del(request, program, netnsLeft(request.netns, wire, fds))
      return ''
    case 'CHECK':
      await networks.check(request, program, netnsOf(request, wire, fds))
      return ''
    case 'ADD':
      return printResult(await networks.add(request, program, netnsOf(request, wire, fds)), request.config.version)
  }
}

/** The pod's namespace at its DEL: it may be gone, or have been given away, which is no reason not to clean up. */
function netnsLeft(path: string | undefined, wire: WireRequest, fds: readonly number[]): PodNetns | undefined {
  try {
    return path === undefined ? undefined : netnsOf({ netns: path, allowHostNetns: false }, wire, fds)
  } catch {
    return undefined
  }
}

/** The pod's namespace, as the forwarder opened it: no path is resolved here, in another mount namespace. */
function netnsOf(
  { netns: path, allowHostNetns }: { readonly netns: string; readonly allowHostNetns: boolean },
  wire: WireRequest,
  fds: readonly number[],
): PodNetns {
  const [fd] = fds
  if (fd === undefined || !wire.hasNetns) {
    throw cniError('netns-unusable', { netns: path, reason: 'it does not exist or cannot be opened' })
  }
  if (!isNetns(fd)) throw cniError('netns-unusable', { netns: path, reason: 'it is not a network namespace' })
  const own = netnsSelf()
  try {
    if (sameNetns(fd, own) && !allowHostNetns) throw cniError('netns-is-host', { netns: path })
  } finally {
    closeFd(own)
  }
  return { fd, path }
}

function encodeReply(status: number, output: string): Uint8Array {
  return encodeWireReply({ status, output: new TextEncoder().encode(output) })
}
