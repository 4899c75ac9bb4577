/**
 * One call of `ipam-neutron` from a container runtime, by environment and standard input: what is answered, and the exit code.
 * @module
 */
import {
  type CniError,
  type CniRequest,
  cniError,
  encodeResult,
  errorAnswer,
  parseIpamConfig,
  parseRequest,
  requestedVersion,
  toCniError,
  versionAnswer,
} from '../../cni/index.ts'
import { accountIn } from '../../compat/ipam-neutron/netconf.ts'
import { type IpamSurroundings, NeutronIpam } from '../../compat/ipam-neutron/plugin.ts'
import { loadNetconfCloud } from '../../openstack/config/load.ts'
import type { HttpLimits } from '../../openstack/http/limits.ts'
import { Neutron } from '../../openstack/neutron/neutron.ts'
import { OpenStackSession, type SessionOptions } from '../../openstack/session.ts'
import { Deadline } from '../../registry/deadline.ts'

/** A call as it comes. */
export interface IpamInput {
  readonly environment: unknown
  readonly input: Uint8Array
}

/** What it depends on beside OpenStack. */
export interface ServeOptions extends Omit<IpamSurroundings, 'neutron'> {
  /** Ends the call; what it made is given back. */
  readonly signal: AbortSignal
  readonly session?: SessionOptions
  /** Milliseconds for the call itself. */
  readonly patience?: number
}

/** For standard output, and the exit code. */
export interface IpamAnswer {
  readonly output: string
  readonly status: 0 | 1
}

/**
 * A kubelet waits two minutes for a pod's network. This is for the call itself. A port that is being made then is waited for,
 * half a minute at most, and 25 seconds more are for giving back what a failed call has made.
 */
const PATIENCE = 60_000
const HTTP: Partial<HttpLimits> = { attempt: 20_000, total: 30_000 }

/** Serves one call. Never throws. */
export async function serveIpam({ environment, input }: IpamInput, options: ServeOptions): Promise<IpamAnswer> {
  const { patience = PATIENCE } = options
  const deadline = new Deadline(options.signal, patience)
  try {
    const request = parseRequest(environment, input, parseIpamConfig)
    return { output: await answer(request, options, deadline), status: 0 }
  } catch (error) {
    const told = deadline.passed ? tooSlow(error, patience) : toCniError(error)
    return { output: print(errorAnswer(told, requestedVersion(input))), status: 1 }
  } finally {
    deadline.clear()
  }
}

async function answer(request: CniRequest, options: ServeOptions, { signal }: Deadline): Promise<string> {
  switch (request.verb) {
    case 'VERSION':
      return print(versionAnswer(request.requested))
    case 'ADD': {
      const result = await using(request, options, (ipam) => ipam.add(request, signal))
      return print(encodeResult(result, request.config.version))
    }
    case 'CHECK':
      await using(request, options, (ipam) => ipam.check(request, signal))
      return ''
    case 'DEL': {
      const { config } = request
      // Without it nobody can say in which cloud there may be a port.
      if (config === undefined) throw cniError('config-invalid', { field: 'ipam', expected: 'is missing' })
      await using({ config }, options, (ipam) => ipam.del({ ...request, config }, signal))
      return ''
    }
    case 'GC':
      await using(request, options, (ipam) => ipam.gc(request.config, request.validAttachments, signal))
      return ''
    case 'STATUS':
      await using(request, options, (ipam) => ipam.status(request.config, signal)).catch(notReady)
      return ''
  }
}

/** By the account that the configuration brings. One that brings none is for an agent, and there is none. */
async function using<T>(
  { config }: Pick<Extract<CniRequest, { verb: 'STATUS' }>, 'config'>,
  { session, ...rest }: ServeOptions,
  use: (ipam: NeutronIpam) => Promise<T>,
): Promise<T> {
  const account = accountIn(config)
  if (account === undefined) throw cniError('account-missing')
  const cloud = loadNetconfCloud(account)
  for (const sentence of cloud.warnings) rest.warn(sentence)
  const opened = new OpenStackSession(cloud, { limits: HTTP, userAgent: 'weft-ipam-neutron', ...session })
  try {
    return await use(new NeutronIpam({ ...rest, neutron: new Neutron(opened) }))
  } finally {
    opened.close()
  }
}

function notReady(error: unknown): never {
  const { message, remedy } = toCniError(error)
  throw cniError('status-openstack', { reason: message, advice: remedy })
}

function tooSlow(error: unknown, patience: number): CniError {
  const reason = error instanceof Error ? error.message : 'no answer came'
  return cniError('openstack-slow', { seconds: patience / 1000, reason })
}

/** As plugins of the Go library write it: people read it too. */
function print(answer: object): string {
  return `${JSON.stringify(answer, null, 4)}\n`
}
