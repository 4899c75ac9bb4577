/**
 * Security groups. Source: Networking API v2.0, "Security groups" and "Security group rules".
 * @module
 */
import { Decoder, type Fields } from '../decode.ts'
import { OpenStackError } from '../errors.ts'
import { type NeutronCalls, pathId } from './call.ts'
import { type ObjectFilter, objectQuery } from './filter.ts'
import type { SecurityGroup, SecurityGroupRule } from './model.ts'

const DECODER = new Decoder('Neutron', 'a security group')
const RULE = new Decoder('Neutron', 'a rule of a security group')

/** Security groups that an account sees. */
export class SecurityGroups {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  async get(id: string, signal?: AbortSignal): Promise<SecurityGroup> {
    const path = `/security-groups/${pathId(id, 'security group')}`
    const doing = `show security group ${id}`
    return groupOf(await this.#calls.one({ method: 'GET', path, key: 'security_group', doing, signal }))
  }

  async list(filter: ObjectFilter, signal?: AbortSignal): Promise<readonly SecurityGroup[]> {
    const named = filter.name === undefined ? '' : ` named ${filter.name}`
    const call = { path: '/security-groups', key: 'security_groups', query: objectQuery(filter), signal }
    return (await this.#calls.list({ ...call, doing: `list security groups${named}` })).map(groupOf)
  }

  /** It comes with two rules that let everything out. */
  async create(name: string, description = ''): Promise<SecurityGroup> {
    const body = { security_group: { name, description } }
    const call = { method: 'POST', path: '/security-groups', key: 'security_group', body } as const
    return groupOf(await this.#calls.one({ ...call, doing: `create security group ${name}` }))
  }

  /** False where it was gone already. */
  async delete(id: string): Promise<boolean> {
    const path = `/security-groups/${pathId(id, 'security group')}`
    return this.#calls.remove({ path, doing: `delete security group ${id}` })
  }

  /** Adds a rule, and gives its ID; that of the same rule where there is one. */
  async allow(groupId: string, rule: SecurityGroupRule): Promise<string> {
    const doing = `add a rule to security group ${groupId}`
    const body = { security_group_rule: ruleBody(groupId, rule) }
    const call = { method: 'POST', path: '/security-group-rules', key: 'security_group_rule', body, doing } as const
    try {
      // Neutron refuses a second one that is the same.
      return RULE.id(await this.#calls.one({ ...call, isSafe: true }), 'id')
    } catch (error) {
      const isThere = error instanceof OpenStackError && error.type === 'SecurityGroupRuleExists'
      const id = isThere ? error.mentions.at(-1) : undefined
      if (id === undefined) throw error
      return id
    }
  }

  /** Takes a rule away; false where it was gone already. */
  async forbid(ruleId: string): Promise<boolean> {
    const path = `/security-group-rules/${pathId(ruleId, 'rule')}`
    return this.#calls.remove({ path, doing: `delete rule ${ruleId} of a security group` })
  }
}

function groupOf(fields: Fields): SecurityGroup {
  return {
    id: DECODER.id(fields, 'id'),
    name: DECODER.textIfThere(fields, 'name') ?? '',
    projectId: DECODER.idIfThere(fields, 'project_id') ?? DECODER.idIfThere(fields, 'tenant_id'),
    isShared: DECODER.flagIfThere(fields, 'shared') === true,
    description: DECODER.textIfThere(fields, 'description') ?? '',
    tags: DECODER.texts(fields, 'tags'),
  }
}

function ruleBody(groupId: string, rule: SecurityGroupRule): Readonly<Record<string, unknown>> {
  const { direction, family, protocol, ports, remotePrefix, remoteGroupId } = rule
  return {
    security_group_id: groupId,
    direction,
    ethertype: family === 4 ? 'IPv4' : 'IPv6',
    ...(protocol === undefined ? {} : { protocol }),
    ...(ports === undefined ? {} : { port_range_min: ports.first, port_range_max: ports.last }),
    ...(remotePrefix === undefined ? {} : { remote_ip_prefix: remotePrefix }),
    ...(remoteGroupId === undefined ? {} : { remote_group_id: remoteGroupId }),
  }
}
