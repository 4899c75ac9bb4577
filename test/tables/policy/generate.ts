/**
 * Cases made at random: worlds with one to four policies, and what changes in them. The same seed gives the same cases;
 * what fails is made smaller by fast-check.
 */
import fc from 'fast-check'
import type { Ip } from '../../../src/network/model/address.ts'
import type { NamedPort, Namespace, Pod } from '../../../src/network/model/pod.ts'
import { policyKey } from '../../../src/network/model/policy.ts'
import { NAMES, policies } from './generate-policies.ts'
import { NAMESPACES, namespace, OUTSIDE, PODS, pod, SERVED } from './objects.ts'
import { after, type Change, type PolicyCase, podKey, type Step, type World, worldWith } from './world.ts'

/** What may change, still without the world that it changes. `which` chooses among what is there. */
type Idea =
  | { readonly do: 'policy'; readonly policy: World['policies'][number] }
  | { readonly do: 'no policy'; readonly which: number }
  | { readonly do: 'pod labels'; readonly which: number; readonly look: Look }
  | { readonly do: 'namespace labels'; readonly which: number; readonly team: string | undefined }
  /** A pod is made anew, elsewhere; another one may get its address. */
  | { readonly do: 'pod moves'; readonly which: number; readonly node: 1 | 2; readonly heir: number | undefined }
  | { readonly do: 'pod goes'; readonly which: number }
  | { readonly do: 'name'; readonly name: string; readonly known: readonly number[] | undefined }

/** What policies see of a pod besides its name. */
interface Look {
  readonly tier: string | undefined
  readonly ports: readonly NamedPort[]
}

const looks: fc.Arbitrary<Look> = fc.record({
  tier: fc.constantFrom('web', 'db', undefined),
  ports: fc.constantFrom<readonly NamedPort[]>(
    [],
    [{ name: 'web', protocol: 'TCP', port: 80 }],
    [{ name: 'web', protocol: 'TCP', port: 81 }],
    [
      { name: 'web', protocol: 'UDP', port: 80 },
      { name: 'web', protocol: 'TCP', port: 82 },
    ],
  ),
})
const teams = fc.constantFrom('red', 'blue', undefined)
const which = fc.nat({ max: 8 })
/** Places of addresses; none where a name does not exist, undefined where nobody answers. */
const answers = fc.option(fc.uniqueArray(fc.nat({ max: OUTSIDE.length - 1 }), { maxLength: 3 }), { nil: undefined })

const ideas: fc.Arbitrary<Idea> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant('policy' as const), policy: policies }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('no policy' as const), which }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('pod labels' as const), which, look: looks }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('namespace labels' as const), which, team: teams }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('pod moves' as const),
      which,
      node: fc.constantFrom(1 as const, 2 as const),
      heir: fc.option(which, { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('pod goes' as const), which }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('name' as const), name: fc.constantFrom(...NAMES), known: answers }),
  },
)

/** Cases, at most `maxChanges` changes each. */
export function policyCases(maxChanges = 3): fc.Arbitrary<PolicyCase> {
  return fc
    .record({
      looks: fc.array(looks, { minLength: PODS.length, maxLength: PODS.length }),
      teams: fc.array(teams, { minLength: NAMESPACES.length, maxLength: NAMESPACES.length }),
      known: answers,
      stack: fc.uniqueArray(policies, { minLength: 1, maxLength: 4, size: 'max', selector: policyKey }),
      changes: fc.array(fc.array(ideas, { minLength: 1, maxLength: 2 }), { maxLength: maxChanges }),
    })
    .map(({ looks: all, teams: colours, known, stack, changes }) => {
      const start = worldWith(stack, {
        pods: PODS.map((one, i) => seen(one, all[i] ?? NO_LOOK)),
        namespaces: NAMESPACES.map((one, i) => coloured(one, colours[i])),
        names: new Map(known === undefined ? [] : [[NAMES[0], outside(known)]]),
      })
      return { name: stack.map(policyKey).join(', '), start, changes: realised(start, changes) }
    })
}

/** The cases of a seed. */
export function generatedCases(count: number, seed: number): readonly PolicyCase[] {
  return fc.sample(policyCases(), { numRuns: count, seed })
}

const NO_LOOK: Look = { tier: undefined, ports: [] }

function seen(one: Pod, { tier, ports }: Look): Pod {
  return {
    ...one,
    labels: { pod: one.name, ...(tier === undefined ? {} : { tier }) },
    namedPorts: [...SERVED, ...ports],
  }
}

function coloured({ name }: Pick<Namespace, 'name'>, team: string | undefined): Namespace {
  return namespace(name, team === undefined ? {} : { team })
}

function outside(places: readonly number[]): readonly Ip[] {
  return places.flatMap((i) => OUTSIDE[i] ?? [])
}

function realised(start: World, changes: readonly (readonly Idea[])[]): readonly Change[] {
  let world = start
  let host = 40
  return changes.map((list) => {
    const steps: Step[] = []
    for (const idea of list) {
      for (const step of stepsOf(idea, world, host)) {
        steps.push(step)
        world = after(world, step)
      }
      host += 1
    }
    return { about: list.map((idea) => idea.do).join(', '), steps }
  })
}

function stepsOf(idea: Idea, { pods, policies: there }: World, host: number): readonly Step[] {
  const chosen = 'which' in idea ? pods[idea.which % pods.length] : undefined
  switch (idea.do) {
    case 'policy':
      return [{ op: 'put-policy', policy: idea.policy }]
    case 'no policy': {
      const policy = there[idea.which % Math.max(1, there.length)]
      return policy === undefined ? [] : [{ op: 'remove-policy', key: policyKey(policy) }]
    }
    case 'namespace labels': {
      const one = NAMESPACES[idea.which % NAMESPACES.length]
      return one === undefined ? [] : [{ op: 'put-namespace', namespace: coloured(one, idea.team) }]
    }
    case 'name':
      return [{ op: 'put-name', name: idea.name, addresses: idea.known && outside(idea.known) }]
    case 'pod labels':
      return chosen === undefined ? [] : [{ op: 'put-pod', pod: seen(chosen, idea.look) }]
    case 'pod goes':
      return chosen === undefined ? [] : [{ op: 'remove-pod', key: podKey(chosen) }]
    case 'pod moves':
      return chosen === undefined
        ? []
        : moved(chosen, idea.node, host, idea.heir === undefined ? undefined : pods[idea.heir % pods.length])
  }
}

function moved(old: Pod, node: 1 | 2, host: number, heir: Pod | undefined): readonly Step[] {
  const anew: Pod = { ...old, ...place(pod(old.namespace, old.name, node, host)) }
  const takes = heir === undefined || podKey(heir) === podKey(old) ? undefined : heir
  return [
    { op: 'remove-pod', key: podKey(old) },
    { op: 'put-pod', pod: anew },
    ...(takes === undefined
      ? []
      : ([
          { op: 'remove-pod', key: podKey(takes) },
          { op: 'put-pod', pod: { ...takes, uid: `${takes.uid}-${host}`, node: old.node, addresses: old.addresses } },
        ] as const)),
  ]
}

function place({ uid, node, addresses: all }: Pod): Pick<Pod, 'uid' | 'node' | 'addresses'> {
  return { uid, node, addresses: all }
}
