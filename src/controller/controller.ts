/**
 * The cluster's controller: gives every node its ranges and every namespace its VNI, and answers tenants' requests.
 *
 * Watches only say that there is something to do; what is to be done is decided from the registry's state. It can be
 * killed at any line and started again. One at a time should run: two do no lasting harm to nodes, whose doubled ranges
 * the next pass takes apart, but two namespaces that got one VNI from both look joined.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { Backoff, type BackoffOptions, sleep } from '../registry/backoff.ts'
import { reflect, type StoreChange } from '../registry/reflector.ts'
import type { Kind, Registry } from '../registry/registry.ts'
import { Bell } from './bell.ts'
import { Outage } from './outage.ts'
import { type PassMemory, reconcile } from './reconcile.ts'
import type { Write } from './write.ts'

/** Where the controller says what it does; pino's loggers are such. */
export interface ControllerLog {
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** What the controller runs with. */
export interface ControllerOptions {
  readonly registry: Registry
  /** Ends the controller. */
  readonly signal: AbortSignal
  /** Numbers from 0 up to 1; Math.random where nobody needs to repeat a run. */
  readonly random: () => number
  readonly log: ControllerLog
  readonly backoff?: BackoffOptions
}

/** Runs the controller until `signal` aborts. Does not reject for anything that the registry does. */
export async function runController(options: ControllerOptions): Promise<void> {
  const bell = new Bell()
  const outage = new Outage(options.log)
  const reflections = watchInputs(options, bell, outage)
  await Promise.all(reflections.map(({ synced }) => synced))
  await Promise.race([passes(options, bell, outage), ...reflections.map(({ done }) => done)])
  await Promise.all(reflections.map(({ done }) => done))
}

function watchInputs({ registry, signal, random, backoff = {} }: ControllerOptions, bell: Bell, outage: Outage) {
  const watch = <K extends Kind>(kind: K) =>
    reflect(registry, kind, {
      signal,
      random,
      backoff,
      onChange: (change) => {
        if (!isStatusOnly(change)) bell.ring()
      },
      onError: (error) => {
        outage.met(error, `cannot watch ${kind}`)
        // A pass finds out when it is over.
        bell.ring()
      },
    })
  return [watch('Cluster'), watch('Node'), watch('NodeNetwork'), watch('Namespace'), watch('Tenant')] as const
}

async function passes(options: ControllerOptions, bell: Bell, outage: Outage): Promise<void> {
  const { registry, signal, random, log, backoff } = options
  const patience = new Backoff(random, backoff)
  let memory: PassMemory = { position: [] }
  let told: readonly string[] = []
  bell.ring()
  while (await bell.rung(signal)) {
    try {
      const result = await reconcile(registry, random, memory)
      patience.reset()
      outage.over()
      memory = result.memory
      for (const write of result.written) log.info({ kind: write.kind, name: write.name }, describe(write))
      for (const problem of result.problems) if (!told.includes(problem)) log.warn({}, problem)
      told = result.problems
      if (result.written.length > 0 || result.overtaken.length > 0) bell.ring()
    } catch (error) {
      const retryIn = patience.next()
      outage.met(error, 'cannot reconcile')
      bell.ring()
      await sleep(retryIn, signal)
    }
  }
}

/** Agents report often, and nothing here depends on it. */
function isStatusOnly(change: StoreChange<Kind>): boolean {
  if (change.type !== 'put' || change.before === undefined) return false
  return isDeepStrictEqual({ ...change.object.value, status: 0 }, { ...change.before.value, status: 0 })
}

function describe(write: Write): string {
  if (write.op === 'delete') return `${write.kind} deleted`
  return `${write.kind} ${write.op === 'create' ? 'created' : 'updated'}: ${detailOf(write)}`
}

function detailOf(write: Exclude<Write, { readonly op: 'delete' }>): string {
  if (write.kind === 'Tenant') return `VNI ${write.value.vni}`
  if (write.kind === 'Namespace') return write.value.problem ?? 'no problem any more'
  return write.value.ranges.join(', ') || 'no range'
}
