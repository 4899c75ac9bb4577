/**
 * Whether an agent's answer has the shape it should. The agent is our own program, so this does not look into every
 * leaf; it keeps an agent of another version, or something else on the socket, from becoming a crash.
 * @module
 */
import type { AgentStatus, DropFlow, NodeFacts } from '../../agent/control/facts.ts'
import type { LimitFact } from '../../agent/qos/limiter.ts'
import type { RepairAnswer } from '../audit/repair.ts'
import { InsightError } from '../errors.ts'

type Shape =
  | 'string'
  | 'number'
  | 'bigint'
  | 'boolean'
  | 'any'
  | { readonly list: Shape }
  | { readonly [key: string]: Shape }

const FLOW: Shape = {
  table: 'number',
  priority: 'number',
  cookie: 'bigint',
  match: {},
  actions: { list: { op: 'string' } },
}
const GROUP: Shape = {
  id: 'number',
  type: 'string',
  buckets: { list: { id: 'number', actions: { list: { op: 'string' } } } },
}
const INSTALLED: Shape = { flow: FLOW, packets: 'bigint', bytes: 'bigint' }
const FRAGMENTS: Shape = {
  list: { key: 'string', title: 'string', flows: { list: FLOW }, groups: { list: GROUP } },
}
const STRINGS: Shape = { list: 'string' }

const LIMITS: Shape = {
  list: { endpoint: 'string', namespace: 'string', pod: 'string', limits: {}, inForce: {} },
}

const STATUS: Shape = {
  node: 'string',
  version: 'string',
  ready: 'boolean',
  waitingFor: STRINGS,
  addresses: STRINGS,
  ranges: { list: { range: 'string', gateway: 'string', used: 'string', capacity: 'string' } },
  peers: { list: { node: 'string', ranges: STRINGS } },
  endpoints: 'number',
  services: 'number',
  flows: 'number',
  problems: STRINGS,
}

const FACTS: Shape = {
  status: STATUS,
  cluster: { networks: { list: { cidr: 'string' } }, encapsulation: { type: 'string' } },
  self: { node: 'string', addresses: STRINGS, ranges: STRINGS },
  routerMac: 'string',
  tenants: { list: { list: 'any' } },
  names: { list: { list: 'any' } },
  fragments: FRAGMENTS,
  installed: { list: INSTALLED },
  groups: { list: GROUP },
  leases: { list: { link: 'string', endpoint: { id: 'string', addresses: STRINGS, ofport: 'number' } } },
  unreadable: { list: { link: 'string', problem: 'string' } },
  ports: { list: { name: 'string' } },
  links: { list: { name: 'string' } },
  resting: STRINGS,
  limits: LIMITS,
  wires: { list: { bridge: 'string', fragments: FRAGMENTS, installed: { list: INSTALLED }, strays: STRINGS } },
  underlay: {
    list: {
      namespace: 'string',
      pod: 'string',
      ifname: 'string',
      bridge: 'string',
      addresses: STRINGS,
      guard: 'string',
    },
  },
}

/** An agent's facts. Throws `INSIGHT_AGENT_ANSWER`. */
export function factsFrom(answer: unknown, name: string): NodeFacts {
  return shaped<NodeFacts>(answer, FACTS, name)
}

/** What an agent says of itself. Throws `INSIGHT_AGENT_ANSWER`. */
export function statusFrom(answer: unknown, name: string): AgentStatus {
  return shaped<AgentStatus>(answer, STATUS, name)
}

/** A list of flows with counters. Throws `INSIGHT_AGENT_ANSWER`. */
export function flowsFrom(answer: unknown, name: string): readonly DropFlow[] {
  return shaped<readonly DropFlow[]>(answer, { list: INSTALLED }, name)
}

/** What endpoints are held to. Throws `INSIGHT_AGENT_ANSWER`. */
export function limitsFrom(answer: unknown, name: string): readonly LimitFact[] {
  return shaped<readonly LimitFact[]>(answer, LIMITS, name)
}

/** What became of a repair. Throws `INSIGHT_AGENT_ANSWER`. */
export function repairAnswerFrom(answer: unknown, name: string): RepairAnswer {
  return shaped<RepairAnswer>(answer, { results: { list: { done: 'boolean', message: 'string' } } }, name)
}

function shaped<T>(answer: unknown, shape: Shape, name: string): T {
  const wrong = misfit(answer, shape, '')
  if (wrong === undefined) return answer as T
  const message = `the agent of ${name} answered in a form this weft does not know (${wrong})`
  throw new InsightError('INSIGHT_AGENT_ANSWER', message, 'use a weft of the agent’s version')
}

/** The path of the first part that does not fit, or undefined. */
function misfit(value: unknown, shape: Shape, path: string): string | undefined {
  if (shape === 'any') return undefined
  if (typeof shape === 'string') return typeof value === shape ? undefined : path || 'the whole'
  if (typeof value !== 'object' || value === null) return path || 'the whole'
  if ('list' in shape) {
    if (!Array.isArray(value)) return path || 'the whole'
    return first(value.map((item, i) => [item, shape['list'] as Shape, `${path}[${i}]`] as const))
  }
  const record = value as Readonly<Record<string, unknown>>
  return first(Object.entries(shape).map(([key, inner]) => [record[key], inner, `${path}.${key}`] as const))
}

function first(parts: readonly (readonly [unknown, Shape, string])[]): string | undefined {
  for (const [value, shape, path] of parts) {
    const wrong = misfit(value, shape, path)
    if (wrong !== undefined) return wrong
  }
  return undefined
}
