/**
 * Neutron's API, by kind of object.
 * @module
 */
import type { OpenStackSession } from '../session.ts'
import { NeutronCalls } from './call.ts'
import { extensionsOf } from './extensions.ts'
import { Networks } from './networks.ts'
import { Ports } from './ports.ts'
import { Quotas } from './quotas.ts'
import { Routers } from './routers.ts'
import { SecurityGroups } from './security-groups.ts'
import { Subnets } from './subnets.ts'
import { Tags } from './tags.ts'
import { Trunks } from './trunks.ts'

/** One account's Neutron. Every failure is an OpenStackError, which names the object. */
export class Neutron {
  readonly networks: Networks
  readonly subnets: Subnets
  readonly ports: Ports
  readonly trunks: Trunks
  readonly securityGroups: SecurityGroups
  readonly routers: Routers
  readonly quotas: Quotas
  readonly tags: Tags
  readonly #calls: NeutronCalls

  constructor(session: OpenStackSession) {
    const calls = new NeutronCalls(session)
    this.#calls = calls
    this.networks = new Networks(calls)
    this.subnets = new Subnets(calls)
    this.ports = new Ports(calls)
    this.trunks = new Trunks(calls)
    this.securityGroups = new SecurityGroups(calls)
    this.routers = new Routers(calls)
    this.quotas = new Quotas(calls)
    this.tags = new Tags(calls)
  }

  /** The aliases of the extensions that are switched on. */
  extensions(signal?: AbortSignal): Promise<ReadonlySet<string>> {
    return extensionsOf(this.#calls, signal)
  }

  /** The account's project; undefined where its token is for something else. */
  projectId(): Promise<string | undefined> {
    return this.#calls.projectId()
  }
}
