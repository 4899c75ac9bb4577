/**
 * Which VNI every namespace has: decided from the whole state at once.
 *
 * Tenants of equal VNI are joined; that is all there is to remember of a join, so a VNI is free when no tenant has it.
 * @module
 */
import { IpamError } from '../ipam/errors.ts'
import { VniPool } from '../ipam/vni.ts'
import { type Cluster, GLOBAL_NAMESPACES } from '../network/model/cluster.ts'
import { GLOBAL_VNI, type Tenant } from '../network/model/tenant.ts'
import type { Stored } from '../registry/registry.ts'
import { refuseInSubnetMode, settleRequest } from './requests.ts'
import type { AnyWriteOf, Decision, WriteOf } from './write.ts'

/** What is decided from. */
export interface TenantInputs {
  readonly tenancy: Cluster['tenancy']
  readonly namespaces: readonly Stored<'Namespace'>[]
  readonly tenants: readonly Stored<'Tenant'>[]
  /** Numbers from 0 up to 1. */
  readonly random: () => number
  /** Where VNIs come from; all of them when absent. */
  readonly pool?: VniPool
}

/**
 * The writes that bring every namespace its VNI, and at most one request to its end: the next is judged by what the
 * registry then has, not by what this decision hopes for.
 */
export function decideTenants(inputs: TenantInputs): Decision<'Tenant' | 'Namespace'> {
  const { tenants, pool = new VniPool() } = inputs
  const namespaces = new Map(inputs.namespaces.map(({ name, value }) => [name, value]))
  const isCurrent = ({ name, value }: Stored<'Tenant'>): boolean => {
    const namespace = namespaces.get(name)
    return namespace !== undefined && (value.uid === undefined || value.uid === namespace.uid)
  }
  // A tenant that goes keeps its VNI until it is gone: its pods may still be there.
  for (const { value } of tenants) pool.share(value.vni)
  const staying = tenants.filter(isCurrent)
  const going = tenants.filter((tenant) => !isCurrent(tenant))
  const created = createMissing(inputs, new Set(tenants.map(({ name }) => name)), pool)
  const settled = inputs.tenancy === 'subnet' ? levelAll(staying) : settleFirst(inputs, staying, pool)
  const deletions = going.map(
    ({ name, revision }): WriteOf<'Tenant'> => ({ op: 'delete', kind: 'Tenant', name, revision }),
  )
  return { writes: [...deletions, ...created.writes, ...settled], problems: created.problems }
}

function createMissing(
  inputs: TenantInputs,
  present: ReadonlySet<string>,
  pool: VniPool,
): Decision<'Tenant' | 'Namespace'> {
  const { tenancy, namespaces, random } = inputs
  const writes: AnyWriteOf<'Tenant' | 'Namespace'>[] = []
  const problems: string[] = []
  for (const namespace of namespaces) {
    const { name, value } = namespace
    if (present.has(name)) continue
    const isGlobal = tenancy === 'subnet' || GLOBAL_NAMESPACES.includes(name)
    try {
      const vni = isGlobal ? GLOBAL_VNI : pool.allocate(random())
      writes.push({ op: 'create', kind: 'Tenant', name, value: { namespace: name, uid: value.uid, vni } })
      if (value.problem !== undefined) writes.push(explain(namespace, undefined))
    } catch (error) {
      if (!(error instanceof IpamError)) throw error
      problems.push(`namespace ${name} has no VNI: ${error.message} (${error.remedy})`)
      if (value.problem !== error.message) writes.push(explain(namespace, error.message))
    }
  }
  return { writes, problems }
}

/** Says in the namespace itself why it has no tenant, or that nothing is wrong any more. */
function explain({ name, revision, value }: Stored<'Namespace'>, problem: string | undefined): WriteOf<'Namespace'> {
  const { problem: _past, ...rest } = value
  return { op: 'update', kind: 'Namespace', name, revision, value: problem === undefined ? rest : { ...rest, problem } }
}

/** Without isolation every tenant is global, and requests have no meaning. */
function levelAll(staying: readonly Stored<'Tenant'>[]): WriteOf<'Tenant'>[] {
  return staying
    .filter(({ value }) => value.vni !== GLOBAL_VNI || value.request !== undefined)
    .map(({ value, ...at }) => {
      const level = { ...value, vni: GLOBAL_VNI }
      return updateOf(at, value.request === undefined ? level : refuseInSubnetMode(level, value.request))
    })
}

/** First come, first served. */
function settleFirst(inputs: TenantInputs, staying: readonly Stored<'Tenant'>[], pool: VniPool): WriteOf<'Tenant'>[] {
  const waiting = staying.filter(({ value }) => value.request !== undefined).sort((a, b) => a.revision - b.revision)
  const first = waiting[0]
  if (first?.value.request === undefined) return []
  const context = { tenants: new Map(staying.map(({ name, value }) => [name, value])), pool, random: inputs.random }
  return [updateOf(first, settleRequest(first.value, first.value.request, context))]
}

function updateOf(
  { name, revision }: { readonly name: string; readonly revision: number },
  value: Tenant,
): WriteOf<'Tenant'> {
  return { op: 'update', kind: 'Tenant', name, value, revision }
}
