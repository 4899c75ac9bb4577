/**
 * Carries out what `weft audit --repair` asks. Every step looks again first and is safe to repeat.
 * @module
 */
import { existsSync } from 'node:fs'
import type { Attachments } from '../attach/attachments.ts'
import type { EndpointLinks } from '../attach/endpoint-links.ts'
import { isLinkName } from '../attach/lease.ts'
import type { Ports } from '../attach/ports.ts'
import { AgentError } from '../errors.ts'
import type { Limiter } from '../qos/limiter.ts'
import type { Reconciler } from '../switch/reconciler.ts'
import type { Wires } from '../switch/wires.ts'
import type { RepairAnswer, RepairResult, RepairStep } from './repair-request.ts'

/** What repairing works with. */
export interface RepairParts {
  readonly attachments: Attachments
  readonly ports: Ports
  readonly links: EndpointLinks
  readonly reconciler: Reconciler
  readonly limiter: Pick<Limiter, 'applyNow' | 'facts'>
  wires(): Pick<Wires, 'look' | 'tables' | 'matching' | 'guards'>
}

const MAX_STEPS = 10_000

/** Carries out a plan, step by step; a step that fails does not stop those behind it. Throws for what is no plan. */
export async function repair(parts: RepairParts, request: unknown): Promise<RepairAnswer> {
  const steps = parsePlan(request)
  const results: RepairResult[] = []
  for (const step of steps) {
    try {
      results.push(await perform(parts, step))
    } catch (error) {
      results.push({ done: false, message: error instanceof Error ? error.message : String(error) })
    }
  }
  return { results }
}

function perform(parts: RepairParts, step: RepairStep): Promise<RepairResult> | RepairResult {
  switch (step.op) {
    case 'release-lease':
      return releaseLease(parts, step.endpoint)
    case 'remove-port':
      return removePort(parts, step.port)
    case 'remove-link':
      return removeLink(parts, step.link)
    case 'put-port':
      return putPort(parts, step.endpoint)
    case 'sync-limits':
      return syncLimits(parts)
    case 'sync-host':
    case 'sync-flows':
      return sync(parts)
  }
}

async function releaseLease({ attachments, ports }: RepairParts, endpoint: string): Promise<RepairResult> {
  const lease = ports.leases().find((one) => one.endpoint.id === endpoint)
  if (lease === undefined) return nothing('the lease is gone already')
  if (existsSync(lease.netns))
    return refused(
      `its network namespace ${lease.netns} still exists: have the runtime delete the pod (DEL), or remove the namespace`,
    )
  await attachments.release(lease)
  return done(`freed ${lease.endpoint.addresses.join(', ')}`)
}

async function removePort({ attachments, ports }: RepairParts, port: string): Promise<RepairResult> {
  if (!isLinkName(port)) return refused('the port does not have the name of one of ours')
  if (!ports.has(port)) return nothing('the port is gone already')
  if (attachments.isBusyLink(port)) return refused('it is being attached right now')
  if (ports.leaseOf(port) !== undefined) return refused('it has a lease')
  await ports.remove([port])
  return done('removed the port')
}

function removeLink({ attachments, ports, links }: RepairParts, link: string): RepairResult {
  const known = links.facts().find(({ name }) => name === link)
  if (known === undefined) return nothing('no link of ours has this name any more')
  if (attachments.isBusyLink(link)) return refused('it is being attached right now')
  if (!known.doomed && ports.leaseOf(link) !== undefined) return refused('it has a lease')
  links.doom(link)
  return done('removed the link')
}

async function putPort({ ports, reconciler }: RepairParts, endpoint: string): Promise<RepairResult> {
  const lease = ports.leases().find((one) => one.endpoint.id === endpoint)
  if (lease === undefined) return nothing('the lease is gone already')
  await ports.put(lease)
  await reconciler.applyNow()
  return done(`the port ${lease.link} is as its lease says`)
}

async function syncLimits({ limiter }: RepairParts): Promise<RepairResult> {
  await limiter.applyNow()
  return done('every pod is held to what was decided')
}

async function sync({ reconciler, wires }: RepairParts): Promise<RepairResult> {
  await reconciler.applyNow()
  await wires().look()
  return done('the node is as planned')
}

function done(message: string): RepairResult {
  return { done: true, message }
}

function nothing(message: string): RepairResult {
  return { done: true, message }
}

function refused(message: string): RepairResult {
  return { done: false, message }
}

function parsePlan(request: unknown): readonly RepairStep[] {
  const plan: unknown = typeof request === 'object' && request !== null ? Reflect.get(request, 'plan') : undefined
  if (!Array.isArray(plan) || plan.length > MAX_STEPS) throw noPlan(`plan must be a list of at most ${MAX_STEPS} steps`)
  return plan.map(parseStep)
}

/** The field that each kind of step names its object by. */
const OBJECT_FIELD = {
  'release-lease': 'endpoint',
  'remove-port': 'port',
  'remove-link': 'link',
  'put-port': 'endpoint',
} as const

function parseStep(step: unknown, at: number): RepairStep {
  const field = (name: string): unknown =>
    typeof step === 'object' && step !== null ? Reflect.get(step, name) : undefined
  const op = field('op')
  if (op === 'sync-host' || op === 'sync-flows' || op === 'sync-limits') return { op }
  const known = op === 'release-lease' || op === 'remove-port' || op === 'remove-link' || op === 'put-port'
  if (!known) throw noPlan(`plan[${at}].op is none of the steps an agent knows`)
  const object = field(OBJECT_FIELD[op])
  if (typeof object !== 'string') throw noPlan(`plan[${at}].${OBJECT_FIELD[op]} must be a text`)
  return { op, [OBJECT_FIELD[op]]: object } as RepairStep
}

function noPlan(why: string): AgentError {
  return new AgentError('AGENT_REQUEST', `not a repair plan: ${why}`, 'use weft audit --repair of the same version')
}
