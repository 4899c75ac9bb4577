/**
 * Worlds of Calico's policies made at random.
 */
import fc from 'fast-check'
import { NAMESPACE_NAMES, POD_NAMES } from '../policy/objects.ts'
import type { CalicoPolicy, Entity, KubePolicy, LabelledNets, Rule } from './oracle.ts'
import type { Written } from './world.ts'

const KEYS = ['pod', 'role', 'pcns.ns', 'projectcalico.org/namespace', 'projectcalico.org/orchestrator'] as const
const VALUES = [...POD_NAMES, ...NAMESPACE_NAMES, 'k8s', 'r', ''] as const
const NETS = [
  ...['10.128.0.0/23', '10.129.0.0/23', '10.128.0.0/14', '198.51.100.0/24', '198.51.100.128/25', '203.0.113.9'],
  ...['fd00:10:128::/48', 'fd00:10:128:2::/64', '2001:db8:100::/48', '2001:db8:200::9', '0.0.0.0/0', '::/0'],
] as const

const key = fc.constantFrom(...KEYS)
const quoted = fc.constantFrom(...VALUES).map((value) => `'${value}'`)
const set = fc.array(quoted, { minLength: 1, maxLength: 3 }).map((all) => `{${all.join(', ')}}`)

function selectorOf(keys: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const leaf = fc.oneof(
    { weight: 1, arbitrary: fc.constant('all()') },
    { weight: 2, arbitrary: keys.map((one) => `has(${one})`) },
    {
      weight: 6,
      arbitrary: fc
        .tuple(keys, fc.constantFrom('==', '!=', 'contains', 'starts with', 'ends with'), quoted)
        .map((all) => all.join(' ')),
    },
    { weight: 3, arbitrary: fc.tuple(keys, fc.constantFrom('in', 'not in'), set).map((all) => all.join(' ')) },
  )
  const part = fc.oneof(
    { weight: 4, arbitrary: leaf },
    { weight: 1, arbitrary: leaf.map((one) => `!${one}`) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `!(${a} || ${b})`) },
    { weight: 1, arbitrary: fc.tuple(leaf, leaf).map(([a, b]) => `(${a} || ${b})`) },
  )
  const joined = (sign: string) => fc.array(part, { minLength: 1, maxLength: 3 }).map((all) => all.join(sign))
  return fc.oneof(joined(' && '), joined(' || '))
}

const selector = selectorOf(key)
const namespaceSelector = fc.oneof(
  selectorOf(fc.constantFrom('ns', 'projectcalico.org/name')),
  fc.constantFrom('all()', 'global()', "ns == 'y'"),
)
const nets = fc.uniqueArray(fc.constantFrom(...NETS), { minLength: 1, maxLength: 3 })

/** What a field may be absent of. */
function rarely<T>(arbitrary: fc.Arbitrary<T>, every = 3): fc.Arbitrary<T | undefined> {
  return fc.oneof({ weight: every, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary })
}

/** Without the fields that are undefined. */
function given<T extends object>(fields: { readonly [K in keyof T]: T[K] | undefined }): T {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T
}

/** Whom a rule speaks of. */
const far: fc.Arbitrary<Entity> = fc
  .record({
    nets: rarely(nets),
    notNets: rarely(nets),
    selector: rarely(selector, 1),
    namespaceSelector: rarely(namespaceSelector),
    notSelector: rarely(selector, 4),
  })
  .map(({ notSelector, ...rest }) =>
    given<Entity>({ ...rest, notSelector: rest.selector === undefined ? undefined : notSelector }),
  )
const near: fc.Arbitrary<Entity> = fc
  .record({ nets: rarely(nets, 4), notNets: rarely(nets, 6) })
  .map((fields) => given<Entity>(fields))

const port = fc.constantFrom<number | string>(80, 81, '80:81', '81:9000', '1:80', 'serve-80-tcp', 'serve-81-udp')
const number = fc.constantFrom<number | string>(80, 81, '80:82', '0:80')
const portsOf = (item: fc.Arbitrary<number | string>) => fc.uniqueArray(item, { minLength: 1, maxLength: 2 })

/** Protocols with ports, with messages, or neither. */
const transport = fc.oneof(
  { weight: 4, arbitrary: fc.constant({}) },
  {
    weight: 5,
    arbitrary: fc
      .record({
        protocol: fc.constantFrom('TCP', 'UDP', 'SCTP', 6),
        ports: rarely(portsOf(port), 1),
        notPorts: rarely(portsOf(number), 3),
      })
      .map(({ protocol, ports, notPorts }) => ({ protocol, to: ports ? { ports } : given<Entity>({ notPorts }) })),
  },
  { weight: 1, arbitrary: fc.constantFrom('TCP', 'ICMP', 'ICMPv6', 17).map((notProtocol) => ({ notProtocol })) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      { protocol: 'ICMP' },
      { protocol: 'ICMPv6', icmp: { type: 128 } },
      { protocol: 'ICMP', icmp: { type: 8, code: 0 } },
      { protocol: 'ICMP', icmp: { type: 3 } },
      { protocol: 'ICMPv6', notICMP: { type: 128, code: 1 } },
      { protocol: 'ICMP', notICMP: { type: 8 } },
    ),
  },
)

interface Transport extends Pick<Rule, 'protocol' | 'notProtocol' | 'icmp' | 'notICMP'> {
  readonly to?: Entity
}

function ruleOf(way: 'ingress' | 'egress'): fc.Arbitrary<Rule> {
  return fc
    .record({
      action: fc.constantFrom<Rule['action']>('Allow', 'Allow', 'Allow', 'Deny', 'Deny', 'Pass'),
      ipVersion: rarely(fc.constantFrom<4 | 6>(4, 6), 6),
      far,
      near,
      transport: transport as fc.Arbitrary<Transport>,
    })
    .map(({ action, ipVersion, transport: { to = {}, ...match }, ...ends }) => {
      const [source, destination] = way === 'ingress' ? [ends.far, ends.near] : [ends.near, ends.far]
      return given<Rule>({ action, ipVersion, ...match, source, destination: { ...destination, ...to } } as Rule)
    })
}

const order = rarely(fc.constantFrom(-1, 1, 1.5, 10, 999, 1000, 1001, 5000), 1)
const ways = fc.constantFrom<readonly ('Ingress' | 'Egress')[] | undefined>(
  ['Ingress'],
  ['Egress'],
  ['Ingress', 'Egress'],
  undefined,
)

const policy = fc.record({
  namespace: rarely(fc.constantFrom(...NAMESPACE_NAMES), 1),
  order,
  selector: rarely(selector, 1),
  namespaceSelector: rarely(namespaceSelector, 2),
  types: ways,
  ingress: rarely(fc.array(ruleOf('ingress'), { maxLength: 3 }), 1),
  egress: rarely(fc.array(ruleOf('egress'), { maxLength: 3 }), 1),
})

const kubernetes: fc.Arbitrary<Omit<KubePolicy, 'name'>> = fc
  .record({
    namespace: fc.constantFrom(...NAMESPACE_NAMES),
    pod: rarely(fc.constantFrom(...POD_NAMES), 1),
    direction: fc.constantFrom('Ingress' as const, 'Egress' as const),
    allows: fc.array(
      fc
        .record({ pod: rarely(fc.constantFrom(...POD_NAMES), 1), port: rarely(fc.constantFrom(80, 81), 1) })
        .map((fields) => given<KubePolicy['allows'][number]>(fields)),
      { maxLength: 2 },
    ),
  })
  .map((fields) => given<Omit<KubePolicy, 'name'>>(fields))

const labelledNets: fc.Arbitrary<Omit<LabelledNets, 'name'>> = fc
  .record({
    namespace: rarely(fc.constantFrom(...NAMESPACE_NAMES), 1),
    labels: fc.constantFrom<Readonly<Record<string, string>>>({ role: 'r' }, { role: 'a', pod: 'b' }, {}),
    nets,
  })
  .map((fields) => given<Omit<LabelledNets, 'name'>>(fields))

/** Some policies of every kind, and network sets. */
const written: fc.Arbitrary<Written> = fc
  .record({
    calico: fc.array(policy, { minLength: 1, maxLength: 4 }),
    kubernetes: fc.array(kubernetes, { maxLength: 2 }),
    sets: fc.array(labelledNets, { maxLength: 3 }),
  })
  .map(({ calico, ...rest }) => ({
    calico: calico.map(({ namespaceSelector: spaces, ...fields }, i) => {
      const own = fields.namespace === undefined ? { namespaceSelector: spaces } : {}
      return given<CalicoPolicy>({ name: `default.p${i}`, ...fields, ...own } as CalicoPolicy)
    }),
    kubernetes: rest.kubernetes.map((one, i) => ({ name: `k${i}`, ...one })),
    sets: rest.sets.map((one, i) => ({ name: `s${i}`, ...one })),
  }))

/** As many worlds, the same ones for the same seed. */
export function generatedWorlds(count: number, seed: number): readonly Written[] {
  return fc.sample(written, { numRuns: count, seed })
}
