/**
 * Ports that are plugged into a server of Nova's. Source: Compute API v2.1, "Port interfaces (servers, os-interface)". No Nova runs
 * where this is tested: the test is of the documented bodies, against a server that answers with those.
 * @module
 */
import { Backoff, sleep } from '../../registry/backoff.ts'
import { Deadline } from '../../registry/deadline.ts'
import { Decoder, type Fields, isFields, isId } from '../decode.ts'
import { ended, invalid, OpenStackError, shown } from '../errors.ts'
import type { FixedIp } from '../neutron/model.ts'
import type { OpenStackSession } from '../session.ts'

/** A port that is plugged into a server. */
export interface ServerInterface {
  readonly portId: string
  readonly networkId: string
  readonly mac: string
  /** `ACTIVE`, `DOWN`, `BUILD`; undefined where Nova did not learn it. */
  readonly state: string | undefined
  readonly fixedIps: readonly FixedIp[]
}

/** How long a port's way out of a server is waited for, in milliseconds. */
export interface DetachLimits {
  readonly total?: number
  readonly firstPause?: number
}

const DECODER = new Decoder('Nova', 'an interface of a server')
const DETACH = { total: 60_000, firstPause: 500 } as const

/** The interfaces of servers, as far as an account may see them. */
export class ServerInterfaces {
  readonly #session: Pick<OpenStackSession, 'nova'>
  readonly #random: () => number

  constructor(session: Pick<OpenStackSession, 'nova'>, random: () => number = Math.random) {
    this.#session = session
    this.#random = random
  }

  async list(server: string, signal?: AbortSignal): Promise<readonly ServerInterface[]> {
    const doing = `list the interfaces of server ${server}`
    const { text } = await this.#session.nova({ method: 'GET', path: pathOf(server), isSafe: true, doing, signal })
    return DECODER.list(bodyOf(text), 'interfaceAttachments').map((item) => interfaceOf(DECODER.fields(item)))
  }

  /** Undefined where the port is not plugged into the server. */
  async get(server: string, portId: string, signal?: AbortSignal): Promise<ServerInterface | undefined> {
    const doing = `show interface ${portId} of server ${server}`
    const call = { method: 'GET', path: pathOf(server, portId), isSafe: true, doing, signal } as const
    const answer = await this.#session.nova(call).catch(noneWhereGone)
    return answer === undefined ? undefined : attachmentIn(answer.text)
  }

  /**
   * Plugs a port in. Nova answers when the hypervisor has done it, after seconds. Where it is not known whether it did, it is looked
   * for; a port that is plugged in there already is what was asked for.
   */
  async attach(server: string, portId: string, signal?: AbortSignal): Promise<ServerInterface> {
    const body = { interfaceAttachment: { port_id: checkedId(portId, 'port') } }
    const doing = `plug port ${portId} into server ${server}`
    try {
      const call = { method: 'POST', path: pathOf(server), isSafe: false, body, doing, signal } as const
      return attachmentIn((await this.#session.nova(call)).text)
    } catch (error) {
      const mayBeThere = error instanceof OpenStackError && (error.isUncertain || error.code === 'OPENSTACK_CONFLICT')
      const found = mayBeThere ? await this.get(server, portId, signal) : undefined
      if (found === undefined) throw error
      return found
    }
  }

  /**
   * Takes a port out, and resolves when it is: Nova says at first only that it will. False where it was not in. The port itself stays,
   * unless Nova made it. Throws `OPENSTACK_UNAVAILABLE` where it is still in after the limit.
   */
  async detach(
    server: string,
    portId: string,
    { total = DETACH.total, firstPause = DETACH.firstPause }: DetachLimits = {},
    signal?: AbortSignal,
  ): Promise<boolean> {
    const doing = `take port ${portId} out of server ${server}`
    const call = { method: 'DELETE', path: pathOf(server, portId), isSafe: true, doing, signal } as const
    if ((await this.#session.nova(call).catch(noneWhereGone)) === undefined) return false
    const limit = new Deadline(signal, total)
    const backoff = new Backoff(this.#random, { first: firstPause, most: 5_000 })
    try {
      while ((await this.get(server, portId, signal)) !== undefined) {
        if (!limit.signal.aborted) await sleep(backoff.next(), limit.signal)
        if (signal?.aborted === true) throw ended(doing)
        if (limit.signal.aborted) throw stillIn(doing)
      }
      return true
    } finally {
      limit.clear()
    }
  }
}

function stillIn(doing: string): OpenStackError {
  return new OpenStackError(
    'OPENSTACK_UNAVAILABLE',
    `Nova did not ${doing} in time: it is still plugged in`,
    'see openstack server event list, and that the guest lets its network card go; it is tried again',
    { service: 'Nova', isUncertain: true },
  )
}

function pathOf(server: string, portId?: string): string {
  const path = `/servers/${checkedId(server, 'server')}/os-interface`
  return portId === undefined ? path : `${path}/${checkedId(portId, 'port')}`
}

/** A part of a path. Throws for what could be another path. */
function checkedId(id: string, what: string): string {
  if (isId(id)) return id
  throw invalid(`${shown(id)} is no ID of a ${what}`, 'copy the ID from the output of the openstack client')
}

function noneWhereGone(error: unknown): undefined {
  if (error instanceof OpenStackError && error.code === 'OPENSTACK_NOT_FOUND') return undefined
  throw error
}

function bodyOf(text: string): Fields {
  return DECODER.fields(DECODER.json(text))
}

function attachmentIn(text: string): ServerInterface {
  return interfaceOf(DECODER.fields(bodyOf(text)['interfaceAttachment']))
}

function interfaceOf(fields: Fields): ServerInterface {
  return {
    portId: DECODER.id(fields, 'port_id'),
    networkId: DECODER.id(fields, 'net_id'),
    mac: DECODER.mac(fields, 'mac_addr'),
    state: DECODER.textIfThere(fields, 'port_state'),
    fixedIps: DECODER.listIfThere(fields, 'fixed_ips')
      .filter(isFields)
      .map((ip) => ({ subnetId: DECODER.id(ip, 'subnet_id'), address: DECODER.address(ip, 'ip_address') })),
  }
}
