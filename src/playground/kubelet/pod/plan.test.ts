/** The plan of a pod: single decisions as a table, and what holds for every history. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { type ContainerFacts, type Facts, NO_PROBES, type RunState, UNSTARTED } from './facts.ts'
import { outcomeOf, type Plan, planPod, planRemoval } from './plan.ts'
import { decodePod, type Pod } from './pod.ts'
import { TIMING } from './restart.ts'
import { podStatus } from './status.ts'

const NOW = 1_000_000

function podOf(spec: object = {}, metadata: object = {}): Pod {
  const pod = decodePod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'web', namespace: 'shop', uid: 'u-1', ...metadata },
    spec: { nodeName: 'node1', containers: [{ name: 'a' }, { name: 'b' }], ...spec },
  })
  if (pod === undefined) throw new Error('not a pod')
  return pod
}

function facts(containers: Readonly<Record<string, Partial<ContainerFacts>>>, rest: Partial<Facts> = {}): Facts {
  const all = Object.entries(containers).map(([name, each]) => [name, { ...UNSTARTED, ...each }] as const)
  return { sandbox: 'ready', sandboxBlocked: undefined, podIps: [], hostIps: [], containers: new Map(all), ...rest }
}

const base = { attempt: 0, id: 'x', streak: 0 }
const running: RunState = { kind: 'running', ...base, pid: 9, startedAt: NOW - 1000 }
const exited = (exitCode: number, streak = 0, finishedAt = NOW): RunState => ({
  kind: 'exited',
  ...base,
  streak,
  end: { exitCode, reason: 'Error', startedAt: finishedAt - 10, finishedAt },
})
const failing: ContainerFacts['probes'] = { ...NO_PROBES, liveness: { verdict: 'failed', last: false, row: 3 } }
const leaving = { deletionTimestamp: new Date(NOW + 5000).toISOString() }

/** A plan as words. */
function words({ steps, wakeAt }: Plan): string {
  const each = steps.map((step) => {
    if (step.do === 'start') return `start ${step.container.name} ${step.attempt} ${step.streak}`
    return step.do === 'stop' ? `stop ${step.container} in ${step.deadline - NOW}` : step.do
  })
  return [...each, ...(wakeAt === undefined ? [] : [`wake in ${wakeAt - NOW}`])].join(', ')
}

test.each<[string, Pod, Facts, string]>([
  ['first a network', podOf(), facts({}, { sandbox: 'none' }), 'create-sandbox'],
  [
    'not before its time',
    podOf(),
    facts({}, { sandbox: 'none', sandboxBlocked: { reason: 'add', message: '', until: NOW + 7 } }),
    'wake in 7',
  ],
  ['then the containers', podOf(), facts({}), 'start a 0 0, start b 0 0'],
  [
    'in the node’s network at once',
    podOf({ hostNetwork: true }),
    facts({}, { sandbox: 'host' }),
    'start a 0 0, start b 0 0',
  ],
  [
    'init containers one by one',
    podOf({ initContainers: [{ name: 'i' }, { name: 'j' }] }),
    facts({ i: { run: exited(0) } }),
    'start j 0 0',
  ],
  [
    'a running init container is waited for',
    podOf({ initContainers: [{ name: 'i' }] }),
    facts({ i: { run: running } }),
    '',
  ],
  [
    'a failed init container is started again',
    podOf({ initContainers: [{ name: 'i' }] }),
    facts({ i: { run: exited(1) } }),
    'start i 1 1',
  ],
  [
    'init containers are not run again for others',
    podOf({ initContainers: [{ name: 'i' }] }),
    facts({ a: { run: running } }),
    'start b 0 0',
  ],
  ['what runs is left alone', podOf(), facts({ a: { run: running }, b: { run: running } }), ''],
  ['the first restart comes at once', podOf(), facts({ a: { run: exited(1) }, b: { run: running } }), 'start a 1 1'],
  ['the second waits', podOf(), facts({ a: { run: exited(1, 1) }, b: { run: running } }), 'wake in 10000'],
  ['later ones longer', podOf(), facts({ a: { run: exited(1, 3) }, b: { run: running } }), 'wake in 40000'],
  ['but not for ever', podOf(), facts({ a: { run: exited(1, 60) }, b: { run: running } }), 'wake in 300000'],
  ['Never means never', podOf({ restartPolicy: 'Never' }), facts({ a: { run: exited(1) }, b: { run: running } }), ''],
  [
    'OnFailure leaves success alone',
    podOf({ restartPolicy: 'OnFailure' }),
    facts({ a: { run: exited(0) }, b: { run: running } }),
    '',
  ],
  [
    'a pod that ended needs no network',
    podOf({ restartPolicy: 'Never' }),
    facts({ a: { run: exited(0) }, b: { run: exited(0) } }),
    'remove-sandbox',
  ],
  [
    'a failed liveness probe ends a container',
    podOf({ terminationGracePeriodSeconds: 7 }),
    facts({ a: { run: running, probes: failing }, b: { run: running } }),
    'stop a in 7000, wake in 7000',
  ],
  ['a lost network ends all', podOf(), facts({ a: { run: running } }, { sandbox: 'lost' }), 'stop a in 0, wake in 0'],
  ['and is removed', podOf(), facts({ a: { run: exited(1) } }, { sandbox: 'lost' }), 'remove-sandbox'],
  [
    'deleted: containers until the deadline',
    podOf({}, leaving),
    facts({ a: { run: running } }),
    'stop a in 5000, wake in 5000',
  ],
  ['deleted: then the network', podOf({}, leaving), facts({ a: { run: exited(0) } }), 'remove-sandbox'],
  ['deleted: then the end', podOf({}, leaving), facts({ a: { run: exited(0) } }, { sandbox: 'none' }), 'finish'],
])('%s', (_, pod, known, expected) => {
  expect(words(planPod(pod, known, NOW, TIMING))).toBe(expected)
})

test('a pod that nobody wants any more has a second', () => {
  expect(words(planRemoval(facts({ a: { run: running } }), undefined, NOW))).toBe('stop a in 1000, wake in 1000')
})

test.each<[string, object, Facts, string | undefined]>([
  ['all done', { restartPolicy: 'Never' }, facts({ a: { run: exited(0) }, b: { run: exited(0) } }), 'Succeeded'],
  ['one failed', { restartPolicy: 'Never' }, facts({ a: { run: exited(0) }, b: { run: exited(2) } }), 'Failed'],
  ['one still runs', { restartPolicy: 'Never' }, facts({ a: { run: exited(2) }, b: { run: running } }), undefined],
  ['it will be restarted', {}, facts({ a: { run: exited(0) }, b: { run: exited(0) } }), undefined],
  [
    'init failed',
    { restartPolicy: 'Never', initContainers: [{ name: 'i' }] },
    facts({ i: { run: exited(1) } }),
    'Failed',
  ],
])('the outcome when %s', (_, spec, known, expected) => {
  expect(outcomeOf(podOf(spec), known)).toBe(expected as never)
})

const runs = fc.oneof(
  fc.constant<RunState>({ kind: 'none' }),
  fc.constant<RunState>({ kind: 'starting', ...base }),
  fc.constant(running),
  fc.tuple(fc.integer({ min: 0, max: 2 }), fc.nat(40)).map(([code, streak]) => exited(code, streak)),
)
const worlds = fc.record({
  sandbox: fc.constantFrom('none', 'ready', 'lost', 'host'),
  a: runs,
  b: runs,
  i: runs,
  restartPolicy: fc.constantFrom('Always', 'OnFailure', 'Never'),
})

describe('whatever there is', () => {
  test('a pod that is to go is finished only when nothing of it is left, and always gets there', () => {
    fc.assert(
      fc.property(worlds, ({ sandbox, a, b, i }) => {
        let known = facts({ a: { run: a }, b: { run: b }, i: { run: i } }, { sandbox: sandbox as Facts['sandbox'] })
        for (let round = 0; round < 6; round += 1) {
          const { steps } = planRemoval(known, NOW, NOW)
          if (steps.some((step) => step.do === 'finish')) {
            const kinds = [...known.containers.values()].map(({ run }) => run.kind)
            expect(kinds).not.toContain('running')
            expect(kinds).not.toContain('starting')
            expect(['none', 'host']).toContain(known.sandbox)
            return
          }
          expect(steps.length).toBeGreaterThan(0)
          const containers = new Map(known.containers)
          for (const step of steps) {
            if (step.do === 'stop') containers.set(step.container, { ...UNSTARTED, run: exited(137) })
          }
          const removed = steps.some((step) => step.do === 'remove-sandbox')
          known = { ...known, containers, sandbox: removed ? 'none' : known.sandbox }
        }
        throw new Error('it never ends')
      }),
    )
  })

  test('nothing is started without a network, twice, or when the pod has ended', () => {
    fc.assert(
      fc.property(worlds, ({ sandbox, a, b, i, restartPolicy }) => {
        const pod = podOf({ restartPolicy, initContainers: [{ name: 'i' }] })
        const known = facts({ a: { run: a }, b: { run: b }, i: { run: i } }, { sandbox: sandbox as Facts['sandbox'] })
        const started = planPod(pod, known, NOW, TIMING).steps.flatMap((step) =>
          step.do === 'start' ? [step.container.name] : [],
        )
        if (started.length === 0) return
        expect(['ready', 'host']).toContain(sandbox)
        expect(outcomeOf(pod, known)).toBeUndefined()
        for (const name of started) expect(['none', 'exited']).toContain(known.containers.get(name)?.run.kind ?? 'none')
      }),
    )
  })

  test('the status is written once: from itself comes the same', () => {
    fc.assert(
      fc.property(worlds, ({ sandbox, a, b, i, restartPolicy }) => {
        const pod = podOf({ restartPolicy, initContainers: [{ name: 'i' }] })
        const known = facts({ a: { run: a }, b: { run: b }, i: { run: i } }, { sandbox: sandbox as Facts['sandbox'] })
        const first = podStatus(pod, known, {}, NOW, TIMING)
        expect(podStatus(pod, known, first, NOW + 5, TIMING)).toEqual(first)
      }),
    )
  })
})
