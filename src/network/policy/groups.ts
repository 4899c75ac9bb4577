/**
 * Groups of addresses that rules name as peers, kept current pod by pod. A group lives as long as some rule that counts
 * on this node uses it; a pod's event looks only at groups that could have it.
 * @module
 */
import { type Cidr, hostCidr, type Ip } from '../model/address.ts'
import type { NetworkSet } from '../model/network-set.ts'
import type { PodSet } from '../model/policy.ts'
import { ChosenNets } from './chosen-nets.ts'
import { ConditionIndex } from './condition-index.ts'
import { addressesIn, type GroupSpec, gatewaysIn } from './group-members.ts'
import { type Inventory, type Member, portKey } from './inventory.ts'
import type { MachineAddresses } from './machines.ts'
import { PodSetIndex } from './pod-set-index.ts'
import { partsIn, without } from './ranges.ts'

/** Who is told of a group's addresses. */
export interface GroupUser {
  added(address: Cidr): void
  removed(address: Cidr): void
}

/** Addresses under a key. */
export interface Group {
  readonly key: string
  readonly spec: GroupSpec
  readonly users: Set<GroupUser>
  /** By pod, machine or, for what the rule itself says, ''. */
  readonly members: Map<string, readonly Cidr[]>
  /** The networks of its network sets, where somebody's address may be in them. */
  readonly chosen?: ChosenNets
}

const ITSELF = ''

/** The groups that count on this node. */
export class Groups {
  readonly #inventory: Inventory
  readonly #groups = new Map<string, Group>()
  /** Of pods by selectors. */
  readonly #ofPods = new PodSetIndex<Group>()
  /** Of pods that have a named port, by that. */
  readonly #ofPorts = new Map<string, Set<Group>>()
  /** Of ranges that machines may be in. */
  readonly #ofMachines = new Set<Group>()
  /** Of network sets, by what they demand of them, and by those that they have. */
  readonly #ofSets = new ConditionIndex<Group>()
  readonly #having = new Map<string, Set<Group>>()
  readonly #ofNames = new Map<string, Set<Group>>()
  readonly #names = new Map<string, readonly Ip[]>()
  readonly #groupsOf = new Map<string, Set<Group>>()

  constructor(inventory: Inventory) {
    this.#inventory = inventory
  }

  /** DNS names that somebody has to resolve. */
  get names(): Iterable<string> {
    return this.#ofNames.keys()
  }

  /** The group of this spec, which tells `user` of its addresses from now on, those it has first. */
  use(spec: GroupSpec, user: GroupUser): Group {
    const key = groupKey(spec)
    const group = this.#groups.get(key) ?? this.#create(key, spec)
    group.users.add(user)
    for (const addresses of group.members.values()) for (const address of addresses) user.added(address)
    return group
  }

  /** The group need not tell `user` any more; it takes nothing back. */
  leave(group: Group, user: GroupUser): void {
    group.users.delete(user)
    if (group.users.size === 0) this.#drop(group)
  }

  /** A pod is there, or another than before. */
  refresh(key: string): void {
    const member = this.#inventory.member(key)
    const now = new Set<Group>(member === undefined ? [] : this.#candidates(member))
    for (const group of this.#groupsOf.get(key) ?? []) if (!now.has(group)) this.#put(group, key, [])
    for (const group of now)
      this.#put(group, key, member === undefined ? [] : addressesIn(group, member, this.#inventory))
  }

  /** A machine is there, or another than before, or, when it is undefined, gone. */
  refreshMachine(node: string, machine: MachineAddresses | undefined): void {
    for (const group of this.#ofMachines) {
      this.#put(group, machineKey(node), machine === undefined ? [] : gatewaysIn(group, machine))
    }
  }

  /** A network set is there, or another than before, or gone. */
  refreshSet(key: string): void {
    const [set, labelled] = [this.#inventory.sets.get(key), this.#inventory.sets.labelled(key)]
    const now = new Set(labelled === undefined ? [] : this.#ofSets.metBy(labelled))
    for (const group of this.#having.get(key) ?? []) if (!now.has(group)) this.#putSet(group, key, undefined)
    for (const group of now) this.#putSet(group, key, set)
    if (now.size > 0) this.#having.set(key, now)
    else this.#having.delete(key)
  }

  /** What a DNS name stands for; undefined while nobody knows. */
  setName(name: string, addresses: readonly Ip[] | undefined): void {
    if (addresses === undefined) this.#names.delete(name)
    else this.#names.set(name, addresses)
    for (const group of this.#ofNames.get(name) ?? []) this.#put(group, ITSELF, (addresses ?? []).map(hostCidr))
  }

  #create(key: string, spec: GroupSpec): Group {
    const { peer, named } = spec
    const group: Group = { key, spec, users: new Set(), members: new Map(), ...chosenIn(spec) }
    this.#groups.set(key, group)
    this.#chooseAll(group)
    if (named !== undefined) {
      const siblings = this.#ofPorts.get(portKey(named)) ?? new Set()
      this.#ofPorts.set(portKey(named), siblings.add(group))
      this.#fill(group, this.#inventory.membersHaving(named))
    } else if (peer === 'anybody') {
      // Whoever it is needs no group.
    } else if (peer.type === 'pods') {
      this.#ofPods.add(group, peer)
      for (const namespace of this.#namespacesOf(peer)) this.#fill(group, this.#inventory.membersIn(namespace))
    } else if (peer.type === 'sets') {
      this.#followMachines(group)
    } else if (peer.type === 'range') {
      this.#put(group, ITSELF, without(peer.range, peer.except))
      this.#followMachines(group)
    } else {
      const siblings = this.#ofNames.get(peer.name) ?? new Set()
      this.#ofNames.set(peer.name, siblings.add(group))
      this.#put(group, ITSELF, (this.#names.get(peer.name) ?? []).map(hostCidr))
    }
    return group
  }

  #chooseAll(group: Group): void {
    const { peer } = group.spec
    if (peer === 'anybody' || peer.type !== 'sets') return
    this.#ofSets.add(group, peer.where)
    for (const key of this.#inventory.sets.meeting(peer.where)) {
      const groups = this.#having.get(key) ?? new Set()
      this.#having.set(key, groups.add(group))
      this.#choose(group, key, this.#inventory.sets.get(key))
    }
  }

  /** Machines are known by addresses that their packets do not come from. */
  #followMachines(group: Group): void {
    if (group.spec.direction !== 'ingress') return
    this.#ofMachines.add(group)
    this.#meet(group, this.#inventory.machines())
  }

  #meet(group: Group, machines: Iterable<MachineAddresses>): void {
    for (const machine of machines) this.#put(group, machineKey(machine.node), gatewaysIn(group, machine))
  }

  /** Only who is in networks that came or went may be another than before. */
  #putSet(group: Group, key: string, set: NetworkSet | undefined): void {
    const changed = this.#choose(group, key, set)
    if (changed.length === 0) return
    const { named } = group.spec
    if (named !== undefined) this.#fill(group, this.#inventory.membersHaving(named))
    else if (this.#ofMachines.has(group)) this.#meet(group, this.#inventory.machinesIn(changed))
  }

  /** What a group has of a network set, which meets its demand unless it is gone. Returns the networks that came or went, where somebody may be in them. */
  #choose(group: Group, key: string, set: NetworkSet | undefined): readonly Cidr[] {
    const { peer, named } = group.spec
    if (peer === 'anybody' || peer.type !== 'sets') return []
    const nets = set?.nets ?? []
    if (named === undefined) this.#put(group, setKey(key), partsIn(nets, peer.within))
    return group.chosen?.put(key, nets) ?? []
  }

  #namespacesOf({ namespaces }: PodSet): Iterable<string> {
    return 'name' in namespaces ? [namespaces.name] : this.#inventory.namespacesMeeting(namespaces.labels)
  }

  #fill(group: Group, members: Iterable<Member>): void {
    for (const member of members) this.#put(group, member.key, addressesIn(group, member, this.#inventory))
  }

  #drop(group: Group): void {
    this.#groups.delete(group.key)
    this.#ofMachines.delete(group)
    this.#ofSets.delete(group)
    this.#ofPods.delete(group)
    const { peer, named } = group.spec
    if (peer !== 'anybody' && peer.type === 'sets') {
      for (const key of this.#inventory.sets.meeting(peer.where)) this.#having.get(key)?.delete(group)
    }
    if (named !== undefined) {
      const siblings = this.#ofPorts.get(portKey(named))
      siblings?.delete(group)
      if (siblings?.size === 0) this.#ofPorts.delete(portKey(named))
    } else if (peer !== 'anybody' && peer.type === 'name') {
      const siblings = this.#ofNames.get(peer.name)
      siblings?.delete(group)
      if (siblings?.size === 0) this.#ofNames.delete(peer.name)
    }
    for (const member of group.members.keys()) this.#unlink(group, member)
  }

  *#candidates({ namespace, labels, namedPorts }: Member): Generator<Group> {
    const namespaceLabels = this.#inventory.labelsOf(namespace)
    yield* this.#ofPods.candidates({ namespace, namespaceLabels, labels })
    for (const port of namedPorts) yield* this.#ofPorts.get(portKey(port)) ?? []
  }

  #put(group: Group, member: string, addresses: readonly Cidr[]): void {
    const before = group.members.get(member) ?? []
    if (addresses.length === 0) {
      if (before.length === 0) return
      group.members.delete(member)
      this.#unlink(group, member)
    } else {
      group.members.set(member, addresses)
      const groups = this.#groupsOf.get(member) ?? new Set()
      this.#groupsOf.set(member, groups.add(group))
    }
    const [had, has] = [new Set(before), new Set(addresses)]
    for (const user of group.users) {
      for (const address of addresses) if (!had.has(address)) user.added(address)
      for (const address of before) if (!has.has(address)) user.removed(address)
    }
  }

  #unlink(group: Group, member: string): void {
    const groups = this.#groupsOf.get(member)
    groups?.delete(group)
    if (groups?.size === 0) this.#groupsOf.delete(member)
  }
}

/** What tells a group from every other. */
function groupKey({ peer, direction, named }: GroupSpec): string {
  // Machines are peers of connections that come, not of those that go.
  const way = peer !== 'anybody' && (peer.type === 'range' || peer.type === 'sets') ? direction : ''
  return JSON.stringify([peer, way, named])
}

function machineKey(node: string): string {
  return `machine ${node}`
}

function setKey(key: string): string {
  return `set ${key}`
}

function isOfSets({ peer }: GroupSpec): boolean {
  return peer !== 'anybody' && peer.type === 'sets'
}

/** Of a group that is nothing but networks nobody asks whose addresses are in them. */
function chosenIn(spec: GroupSpec): Pick<Group, 'chosen'> {
  const isAsked = isOfSets(spec) && (spec.named !== undefined || spec.direction === 'ingress')
  return isAsked ? { chosen: new ChosenNets() } : {}
}
