import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../compat/multus/attachment-definition.ts'
import { controllingConfig, decideDefinition } from '../../compat/spiderpool/multus-config/decide.ts'
import { definitionNameOf } from '../../compat/spiderpool/multus-config/read.ts'
import { multusConfig } from '../../compat/spiderpool/multus-config/testing/objects.ts'
import { SPIDER_MULTUS_CONFIGS } from '../../compat/spiderpool/resources.ts'
import { keyOf } from '../../kube/reflector.ts'
import { eventually } from '../testing/eventually.ts'
import { runMultusConfigs } from './multus-configs.ts'
import { Bench } from './testing/bench.ts'

const NAMESPACES = ['kube-system', 'shop']
const NAMES = ['a', 'b', 'c']

type Deed =
  | {
      readonly do: 'apply'
      readonly namespace: string
      readonly name: string
      readonly as: string
      readonly vlan: number
    }
  | { readonly do: 'delete' | 'foreign' | 'remove' | 'meddle'; readonly namespace: string; readonly name: string }

const place = { namespace: fc.constantFrom(...NAMESPACES), name: fc.constantFrom(...NAMES) }
const deed: fc.Arbitrary<Deed> = fc.oneof(
  // VLAN 5000 is refused.
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('apply' as const),
      ...place,
      as: fc.constantFrom(...NAMES),
      vlan: fc.constantFrom(0, 7, 5000),
    }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('delete' as const), ...place }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constantFrom('foreign' as const, 'remove' as const, 'meddle' as const), ...place }),
  },
)

async function act(bench: Bench, one: Deed): Promise<void> {
  const { api } = bench
  const at = { namespace: one.namespace, name: one.name }
  if (one.do === 'apply') {
    const spec = { cniType: 'ovs', ovs: { bridge: 'br1', vlan: one.vlan } }
    const annotations = { 'multus.spidernet.io/cr-name': one.as }
    const exists = (await api.get(SPIDER_MULTUS_CONFIGS, at)) !== undefined
    if (exists) await api.patch(SPIDER_MULTUS_CONFIGS, at, 'merge', { spec, metadata: { annotations } })
    else await api.create(SPIDER_MULTUS_CONFIGS, multusConfig(spec, { ...at, annotations }))
  } else if (one.do === 'foreign') {
    const metadata = { ...at, labels: { foreign: 'yes' } }
    const { apiVersion, kind } = { apiVersion: 'k8s.cni.cncf.io/v1', kind: 'NetworkAttachmentDefinition' }
    await api.create(NETWORK_ATTACHMENT_DEFINITIONS, { apiVersion, kind, metadata, spec: { config: '{}' } })
  } else if (one.do === 'meddle') {
    await api.patch(NETWORK_ATTACHMENT_DEFINITIONS, at, 'merge', { metadata: { annotations: { x: 'y' } } })
  } else await api.delete(one.do === 'delete' ? SPIDER_MULTUS_CONFIGS : NETWORK_ATTACHMENT_DEFINITIONS, at)
}

/** Definitions that somebody else made, and as they are. */
function foreignOnes(bench: Bench): ReadonlyMap<string, string> {
  const definitions = bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)
  const theirs = definitions.filter(({ metadata }) => metadata.labels?.['foreign'] === 'yes')
  return new Map(theirs.map((one) => [keyOf(one), one.metadata.resourceVersion ?? '']))
}

/** What is still to be done about any name, by all that the server holds. */
function leftToDo(bench: Bench): readonly string[] {
  const configs = bench.api.all(SPIDER_MULTUS_CONFIGS)
  const definitions = bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS)
  const wantedBy = (object: (typeof configs)[number]) => `${object.metadata.namespace}/${definitionNameOf(object)}`
  const keys = new Set([...definitions.map(keyOf), ...configs.map(wantedBy)])
  return [...keys].flatMap((key) => {
    const existing = definitions.find((one) => keyOf(one) === key)
    const { call, sayings } = decideDefinition({
      existing,
      claimants: configs.filter((one) => wantedBy(one) === key),
      holder: configs.find(({ metadata }) => existing !== undefined && metadata.uid === controllingConfig(existing)),
      formerName: (uid) =>
        definitions.find((one) => controllingConfig(one) === uid && keyOf(one) !== key)?.metadata.name,
    })
    const untold = sayings.filter(({ object, problems }) => {
      const { conditions = [] } = Object(object['status'])
      return conditions[0]?.status !== (problems.length === 0 ? 'True' : 'False')
    })
    return [
      ...(call === undefined ? [] : [`${call.op} ${key}`]),
      ...untold.map(({ object }) => `tell ${keyOf(object)}`),
    ]
  })
}

test('whatever is written when, everything ends as it has to be, and nothing of others is touched', async () => {
  let made = 0
  const run = async (deeds: readonly Deed[]): Promise<void> => {
    const bench = new Bench()
    bench.start(runMultusConfigs)
    const foreign = new Map<string, string>()
    for (const one of deeds) {
      await act(bench, one).catch(() => undefined)
      for (const [key, revision] of foreignOnes(bench)) foreign.set(key, revision)
    }
    await eventually(() => expect(leftToDo(bench)).toEqual([]))
    for (const [key, revision] of foreignOnes(bench)) expect(revision).toBe(foreign.get(key) ?? '')
    made += bench.api.all(NETWORK_ATTACHMENT_DEFINITIONS).length - foreignOnes(bench).size
    await bench.stop()
  }
  await fc.assert(fc.asyncProperty(fc.array(deed, { maxLength: 14 }), run), { numRuns: 40 })
  expect(made).toBeGreaterThan(20)
}, 60_000)
