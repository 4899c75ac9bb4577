/**
 * Routers. Source: Networking API v2.0, "Routers", "Extra routes".
 * @module
 */
import { Decoder, type Fields } from '../decode.ts'
import { type NeutronCalls, pathId } from './call.ts'
import { type ObjectFilter, objectQuery } from './filter.ts'
import type { Route, Router } from './model.ts'

const DECODER = new Decoder('Neutron', 'a router')

/** Routers that an account sees. */
export class Routers {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  async get(id: string, signal?: AbortSignal): Promise<Router> {
    const path = `/routers/${pathId(id, 'router')}`
    return routerOf(await this.#calls.one({ method: 'GET', path, key: 'router', doing: `show router ${id}`, signal }))
  }

  async list(filter: ObjectFilter, signal?: AbortSignal): Promise<readonly Router[]> {
    const call = { path: '/routers', key: 'routers', query: objectQuery(filter), doing: 'list routers', signal }
    return (await this.#calls.list(call)).map(routerOf)
  }

  async create(name: string): Promise<Router> {
    const body = { router: { name, admin_state_up: true } }
    const doing = `create router ${name}`
    return routerOf(await this.#calls.one({ method: 'POST', path: '/routers', key: 'router', body, doing }))
  }

  /** False where it was gone already. */
  async delete(id: string): Promise<boolean> {
    return this.#calls.remove({ path: `/routers/${pathId(id, 'router')}`, doing: `delete router ${id}` })
  }

  /** Puts the router onto a subnet, with the subnet's gateway address. Gives the port that it made there. */
  async attachSubnet(id: string, subnetId: string): Promise<string> {
    const fields = await this.#interface(id, 'add', subnetId, `attach subnet ${subnetId} to router ${id}`)
    return DECODER.id(fields, 'port_id')
  }

  /** `OPENSTACK_NOT_FOUND` where it is not on it. */
  async detachSubnet(id: string, subnetId: string): Promise<void> {
    await this.#interface(id, 'remove', subnetId, `detach subnet ${subnetId} from router ${id}`)
  }

  /** Replaces all of its routes. */
  async setRoutes(id: string, routes: readonly Route[], revision?: number): Promise<Router> {
    const path = `/routers/${pathId(id, 'router')}`
    const body = { router: { routes } }
    const call = {
      method: 'PUT',
      path,
      key: 'router',
      body,
      revision,
      doing: `set the routes of router ${id}`,
    } as const
    return routerOf(await this.#calls.one(call))
  }

  /** Adds routes and leaves others alone. Needs the extension `extraroute-atomic`. */
  async addRoutes(id: string, routes: readonly Route[]): Promise<Router> {
    return this.#extra(id, 'add_extraroutes', routes, `add ${routes.length} routes to router ${id}`)
  }

  /** Removes routes and leaves others alone. Needs the extension `extraroute-atomic`. */
  async removeRoutes(id: string, routes: readonly Route[]): Promise<Router> {
    return this.#extra(id, 'remove_extraroutes', routes, `remove ${routes.length} routes from router ${id}`)
  }

  async #extra(id: string, action: string, routes: readonly Route[], doing: string): Promise<Router> {
    const path = `/routers/${pathId(id, 'router')}/${action}`
    return routerOf(await this.#calls.one({ method: 'PUT', path, key: 'router', body: { router: { routes } }, doing }))
  }

  async #interface(id: string, action: 'add' | 'remove', subnet_id: string, doing: string): Promise<Fields> {
    const path = `/routers/${pathId(id, 'router')}/${action}_router_interface`
    return this.#calls.one({ method: 'PUT', path, key: 'router', body: { subnet_id }, doing, isSafe: false })
  }
}

function routerOf(fields: Fields): Router {
  return {
    id: DECODER.id(fields, 'id'),
    name: DECODER.textIfThere(fields, 'name') ?? '',
    projectId: DECODER.idIfThere(fields, 'project_id') ?? DECODER.idIfThere(fields, 'tenant_id'),
    status: DECODER.text(fields, 'status'),
    isAdminUp: DECODER.flag(fields, 'admin_state_up'),
    routes: DECODER.listIfThere(fields, 'routes').map((item) => {
      const route = DECODER.fields(item)
      return { destination: DECODER.cidr(route, 'destination'), nexthop: DECODER.address(route, 'nexthop') }
    }),
    tags: DECODER.texts(fields, 'tags'),
    revision: DECODER.integerIfThere(fields, 'revision_number', 0, Number.MAX_SAFE_INTEGER),
  }
}
