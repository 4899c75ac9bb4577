/**
 * The flows of a class of pods: what its rules ask of a connection besides its peer, and what becomes of one that is
 * allowed, denied, or of which no rule speaks.
 * @module
 */
import type { Action, Flow, Match } from '../../flow/flow.ts'
import { ALLOWED } from '../fragments/tracking.ts'
import type { Direction, PolicyAction } from '../model/policy.ts'
import { logDrop } from '../pipeline/answers.ts'
import { type FlowMaker, flowsOf, goto, holds, ipPacket } from '../pipeline/build.ts'
import type { DropName } from '../pipeline/drops.ts'
import { ALLOWED_LABEL, type StageName } from '../pipeline/stages.ts'
import { clauseParts } from './conjunction.ts'
import { finalStage, type Level, PRIORITY, stageAfter, stagesOf } from './levels.ts'
import { type PeerSet, whenIn } from './peer-sets.ts'

/** A rule as the switch matches it. */
export interface Term {
  readonly level: Level
  readonly peers: PeerSet | 'anybody'
  /** Of ports; one of them must hold. */
  readonly ports: readonly Match[]
  readonly action: PolicyAction
  /** The fragment that names the rule. */
  readonly rule: string
  /** What it denies is logged. */
  readonly log: boolean
}

/** A class with all that its policies say. */
export interface PolicyClass extends Refusal {
  readonly key: string
  readonly id: number
  readonly direction: Direction
  /** In the order in which they count. */
  readonly terms: readonly Term[]
  readonly isolated: boolean
  readonly pending: boolean
}

/** A packet of a connection that was not allowed here: one that is not known, most of all. */
const NOT_ALLOWED: Match = { ct_label: { value: 0n, mask: ALLOWED_LABEL.mask } }

const ANYBODY = 'anybody'
const ANY_PORT: readonly Match[] = [{}]

/** The flows of a class. */
export function classFlows(one: PolicyClass): readonly Flow[] {
  const make = flowsOf(one.key)
  const rows = new Map<string, Flow>()
  const shared = sharedSets(one.terms)
  for (const term of one.terms) {
    for (const flow of decisions(one, shared.has(setOf(term)) ? term : { ...term, ports: ANY_PORT })) {
      const row = rowKey(flow)
      // Rules that say the same share a row; the first counts what it decides.
      if (!rows.has(row)) rows.set(row, flow)
    }
  }
  // A rule for anybody at a port has the row that its clause for some at that port would have, and says more.
  const clausesLeft = clauses(make, one).filter((flow) => !rows.has(rowKey(flow)))
  return [...clausesLeft, ...rows.values(), ...remainders(make, one)]
}

/** The peers of a term; who asks for anybody has no clause that asks for ports. */
function setOf({ level, peers }: Term): string {
  return peers === 'anybody' ? ANYBODY : `${level.stage} ${level.priority} ${peers.id}`
}

/** Sets that more than one rule asks for, which only the port tells apart. Of others the clause asks for it already. */
function sharedSets(terms: readonly Term[]): ReadonlySet<string> {
  const askedBy = new Map<string, string>()
  const shared = new Set([ANYBODY])
  for (const term of terms) {
    const set = setOf(term)
    if ((askedBy.get(set) ?? term.rule) !== term.rule) shared.add(set)
    askedBy.set(set, term.rule)
  }
  return shared
}

/** What a class's rules ask for besides peers, one flow for all sets that ask for the same. */
function clauses({ flow }: FlowMaker, { id, terms }: PolicyClass): readonly Flow[] {
  const asked = new Map<string, { readonly level: Level; readonly match: Match; readonly sets: Set<number> }>()
  for (const { level, peers, ports } of terms) {
    if (peers === 'anybody') continue
    for (const match of ports) {
      const key = `${level.stage} ${level.priority} ${JSON.stringify(match)}`
      const entry = asked.get(key) ?? { level, match, sets: new Set() }
      asked.set(key, entry)
      entry.sets.add(peers.id)
    }
  }
  return [...asked.values()].flatMap(({ level: { stage, priority }, match, sets }) =>
    clauseParts('class', sets).map((part) =>
      flow(stage, priority, { ...match, ...holds('policyClass', id), ...part.match }, part.actions),
    ),
  )
}

function decisions(one: PolicyClass, { level, peers, ports, action, rule, log }: Term): readonly Flow[] {
  const make = flowsOf(rule)
  const { stage, priority, direction } = level
  const who = peers === 'anybody' ? holds('policyClass', one.id) : whenIn(peers, one.id)
  return ports.flatMap((port): readonly Flow[] => {
    const match = { ...port, ...who }
    if (action === 'deny') return refusals(make, { ...one, log }, `${direction}-denied`, stage, priority, match)
    const next = action === 'pass' ? stageAfter(stage, direction) : finalStage(direction)
    return [make.flow(stage, priority, match, [goto(next)])]
  })
}

/** What becomes of connections that no rule of NetworkPolicies speaks of, or whose rules are not all known yet. */
function remainders(make: FlowMaker, one: PolicyClass): readonly Flow[] {
  const match = holds('policyClass', one.id)
  const { direction } = one
  return [
    ...(one.pending ? stagesOf(direction) : []).flatMap((stage) =>
      refusals(make, one, 'policy-pending', stage, PRIORITY.pending, match),
    ),
    ...(one.isolated ? refusals(make, one, `${direction}-isolated`, direction, PRIORITY.isolated, match) : []),
  ]
}

/** What refusing takes besides dropping. */
export interface Refusal {
  /** Takes the mark of an allowed connection away. */
  readonly revoke: Action
  readonly log: boolean
}

/** Drops, and takes an allowed connection's permission away. */
export function refusals(
  make: FlowMaker,
  { revoke, log }: Refusal,
  reason: DropName,
  stage: StageName,
  priority: number,
  match: Match,
): readonly Flow[] {
  // Only a packet that is known as one of IP can go through connection tracking.
  const packets: readonly Match[] = match.eth_type === undefined ? [ipPacket(4), ipPacket(6)] : [{}]
  const told = log ? [logDrop] : []
  const end = (matched: Match, actions: readonly Action[]): Flow => ({
    ...make.end(reason, stage, priority, matched),
    actions: [...told, ...actions],
  })
  return [
    end({ ...match, ...NOT_ALLOWED }, []),
    ...packets.map((packet) => end({ ...match, ...packet, ...ALLOWED }, [revoke])),
  ]
}

/** Tells a row from every other of a fragment. */
export function rowKey({ table, priority, match }: Flow): string {
  return JSON.stringify([table, priority, match], (_key, value) => (typeof value === 'bigint' ? `${value}n` : value))
}
