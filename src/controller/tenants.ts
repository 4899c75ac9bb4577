/**
 * Which VNI every namespace has: what is known of namespaces and tenants, and what is to be written next.
 *
 * Tenants of equal VNI are joined; that is all there is to remember of a join, so a VNI is free when no tenant has it.
 * A VNI that a write is on its way with counts as taken until it is known what became of the write. One whose write was
 * given up without an answer is avoided from then on: a creation may arrive however late, when its namespace is long
 * gone, and there are so many VNIs that none needs to be given out twice. Everything is kept by name, so that an event
 * costs the same in a cluster of any size.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { IpamError } from '../ipam/errors.ts'
import { VniPool } from '../ipam/vni.ts'
import { type Cluster, GLOBAL_NAMESPACES } from '../network/model/cluster.ts'
import { GLOBAL_VNI, type Tenant } from '../network/model/tenant.ts'
import type { Stored } from '../registry/registry.ts'
import { Askers } from './askers.ts'
import { granted, judge, type RequestContext, refused } from './requests.ts'
import { WorkQueue } from './work-queue.ts'
import type { Notice, WriteEnd, WriteOf } from './write.ts'

/** A write of what tenants have. */
export type TenantWrite = WriteOf<'Tenant'> | WriteOf<'Namespace'>

/** As long as a namespace's problem may be. */
const MAX_PROBLEM = 1024

/** Namespaces and their VNIs. */
export class Tenants {
  readonly #random: () => number
  readonly #pool: VniPool
  readonly #namespaces = new Map<string, Stored<'Namespace'>>()
  readonly #tenants = new Map<string, Stored<'Tenant'>>()
  /** VNIs that a write on its way, or one whose end is not known, may bring to a tenant. */
  readonly #pending = new Map<string, number>()
  readonly #askers = new Askers()
  /** Those who wait until a VNI is free. */
  readonly #starved = new Set<string>()
  /** Tenants that are there and cannot be read, with the reason. */
  readonly #unreadable = new Map<string, string>()
  readonly #queue = new WorkQueue()
  #tenancy: Cluster['tenancy'] | undefined

  /** `random` gives numbers from 0 up to 1. */
  constructor(random: () => number, pool: VniPool = new VniPool()) {
    this.#random = random
    this.#pool = pool
  }

  /** Without a tenancy nothing is decided. */
  setTenancy(tenancy: Cluster['tenancy'] | undefined): void {
    if (tenancy === this.#tenancy) return
    this.#tenancy = tenancy
    for (const name of [...this.#tenants.keys(), ...this.#namespaces.keys()]) this.#queue.add(name)
  }

  putNamespace(namespace: Stored<'Namespace'>): void {
    this.#namespaces.set(namespace.name, namespace)
    this.retry(namespace.name)
  }

  removeNamespace(name: string): void {
    this.#namespaces.delete(name)
    this.#starved.delete(name)
    this.retry(name)
  }

  putTenant(tenant: Stored<'Tenant'>): void {
    const { name, value } = tenant
    const before = this.#tenants.get(name)?.value
    this.#tenants.set(name, tenant)
    this.#unreadable.delete(name)
    this.#askers.put(name, value.request)
    this.#pool.share(value.vni)
    if (before !== undefined) this.#release(before.vni)
    // The write was made, whoever's answer was lost: the VNI has one user here, not two.
    if (this.#pending.get(name) === value.vni) this.#drop(name)
    this.retry(name)
  }

  removeTenant(name: string): void {
    const before = this.#tenants.get(name)?.value
    this.#tenants.delete(name)
    this.#askers.put(name, undefined)
    if (before !== undefined) this.#release(before.vni)
    this.retry(name)
  }

  /** A tenant that exists in a form that nobody can read. */
  unreadable(name: string, reason: string): void {
    this.#unreadable.set(name, reason)
    this.retry(name)
  }

  /** Tries anew what failed, whatever was found in its way. */
  again(name: string): void {
    this.#unreadable.delete(name)
    this.retry(name)
  }

  /** Decides about a name anew, and about those who wait for it. */
  retry(name: string): void {
    this.#queue.add(name)
    for (const asker of this.#askers.of(name)) this.#queue.add(asker)
  }

  /** The next write, which is then on its way until {@link settled}. Undefined when there is nothing to do. */
  next(): TenantWrite | undefined {
    if (this.#tenancy === undefined) return undefined
    for (;;) {
      const name = this.#queue.take()
      if (name === undefined) return undefined
      const write = this.#decide(name, this.#tenancy)
      if (write !== undefined) return write
      this.#queue.done(name)
    }
  }

  /** What became of a write. What it made is put, or removed, before. */
  settled(write: TenantWrite, end: WriteEnd): void {
    const { name } = write
    if (end !== 'unknown') this.#drop(name)
    else if (write.kind === 'Tenant' && write.op !== 'delete') this.#pool.avoid(write.value.vni)
    this.#queue.done(name)
    // What was made may have been undone before it was answered.
    if (end === 'made') this.#queue.add(name)
    for (const asker of this.#askers.of(name)) this.#queue.add(asker)
  }

  #decide(name: string, tenancy: Cluster['tenancy']): TenantWrite | undefined {
    const namespace = this.#namespaces.get(name)
    const tenant = this.#tenants.get(name)
    if (tenant !== undefined && namespace === undefined) {
      // One that was made before its namespace waits for it.
      return tenant.value.uid === undefined ? undefined : deletionOf(tenant)
    }
    if (namespace === undefined) {
      this.#drop(name)
      return undefined
    }
    if (tenant === undefined) return this.#create(namespace, tenancy)
    if (!isOf(tenant.value, namespace)) return deletionOf(tenant)
    const value = this.#settle({ ...tenant.value, uid: namespace.value.uid }, tenancy)
    if (isDeepStrictEqual(value, tenant.value)) return explanation(namespace, undefined)
    this.#hold(name, value.vni, tenant.value.vni)
    const notice = noticeOf(value, tenant.value)
    return { op: 'update', kind: 'Tenant', name, value, revision: tenant.revision, ...(notice && { notice }) }
  }

  #create(namespace: Stored<'Namespace'>, tenancy: Cluster['tenancy']): TenantWrite | undefined {
    const { name, value } = namespace
    const unreadable = this.#unreadable.get(name)
    if (unreadable !== undefined) return explanation(namespace, unreadableNotice(unreadable))
    try {
      const isGlobal = tenancy === 'subnet' || GLOBAL_NAMESPACES.includes(name)
      const vni = isGlobal ? GLOBAL_VNI : this.#allocate(name)
      this.#starved.delete(name)
      this.#hold(name, vni, undefined)
      return { op: 'create', kind: 'Tenant', name, value: { namespace: name, uid: value.uid, vni } }
    } catch (error) {
      if (!(error instanceof IpamError)) throw error
      if (!this.#starved.has(name)) this.retry(name)
      this.#starved.add(name)
      return explanation(namespace, { code: error.code, message: error.message, remedy: error.remedy })
    }
  }

  /** The tenant as it is to be. */
  #settle(tenant: Tenant, tenancy: Cluster['tenancy']): Tenant {
    // Without isolation every tenant is global, and requests have no meaning.
    const base = tenancy === 'subnet' ? { ...tenant, vni: GLOBAL_VNI } : tenant
    if (base.request === undefined) {
      const { outcome, ...rest } = base
      // A refusal goes with the request that it is about.
      return outcome?.accepted === false ? rest : base
    }
    const verdict = judge(base, base.request, this.#context(base.namespace, tenancy))
    if (verdict === 'later') return base
    if (typeof verdict === 'number') return granted(base, base.request, verdict)
    if (verdict.code === 'TENANT_VNIS_EXHAUSTED') this.#starved.add(base.namespace)
    return refused(base, base.request, verdict)
  }

  #context(name: string, tenancy: Cluster['tenancy']): RequestContext {
    return {
      tenancy,
      vniOf: (target) => this.#vniOf(target),
      users: (vni) => this.#pool.users(vni),
      allocate: () => this.#allocate(name),
    }
  }

  #vniOf(target: string): number | 'later' | undefined {
    const namespace = this.#namespaces.get(target)
    if (namespace === undefined) return undefined
    // What is on its way to the target decides what is joined.
    if (this.#queue.isBusy(target)) return 'later'
    const tenant = this.#tenants.get(target)?.value
    if (tenant !== undefined && isOf(tenant, namespace)) return tenant.vni
    return this.#starved.has(target) || this.#unreadable.has(target) ? undefined : 'later'
  }

  /** A write that may have been made is repeated as it was. */
  #allocate(name: string): number {
    const pending = this.#pending.get(name)
    if (pending !== undefined && pending !== GLOBAL_VNI && this.#pool.users(pending) === 1) return pending
    const vni = this.#pool.allocate(this.#random())
    this.#pool.release(vni)
    return vni
  }

  /** Keeps a VNI that a write is about to bring. */
  #hold(name: string, vni: number, before: number | undefined): void {
    const pending = this.#pending.get(name)
    if (vni === before || vni === pending) return
    this.#pool.share(vni)
    this.#pending.set(name, vni)
    if (pending !== undefined) this.#release(pending)
  }

  #drop(name: string): void {
    const pending = this.#pending.get(name)
    if (pending === undefined) return
    this.#pending.delete(name)
    this.#release(pending)
  }

  #release(vni: number): void {
    this.#pool.release(vni)
    if (this.#pool.users(vni) > 0 || this.#starved.size === 0) return
    for (const name of this.#starved) this.#queue.add(name)
    this.#starved.clear()
  }
}

/** Whether a tenant is this very namespace's. */
function isOf({ uid }: Tenant, namespace: Stored<'Namespace'>): boolean {
  return uid === undefined || uid === namespace.value.uid
}

function deletionOf({ name, revision }: Stored<'Tenant'>): WriteOf<'Tenant'> {
  return { op: 'delete', kind: 'Tenant', name, revision }
}

/** Says in the namespace itself why it has no tenant, or that nothing is wrong any more. */
function explanation(
  { name, revision, value }: Stored<'Namespace'>,
  notice: Notice | undefined,
): WriteOf<'Namespace'> | undefined {
  const { problem: before, ...rest } = value
  const problem = notice?.message.slice(0, MAX_PROBLEM)
  if (problem === before) return undefined
  if (notice === undefined || problem === undefined)
    return { op: 'update', kind: 'Namespace', name, revision, value: rest }
  return { op: 'update', kind: 'Namespace', name, revision, value: { ...rest, problem }, notice }
}

function unreadableNotice(reason: string): Notice {
  const remedy = 'correct it, or delete it: it is made anew'
  return { code: 'TENANT_UNREADABLE', message: `its virtual network is not valid: ${reason}`, remedy }
}

/** A refusal that was not told yet. */
function noticeOf({ outcome }: Tenant, before: Tenant): Notice | undefined {
  if (outcome === undefined || outcome.accepted || isDeepStrictEqual(outcome, before.outcome)) return undefined
  return { code: outcome.code, message: outcome.message, remedy: outcome.remedy }
}
