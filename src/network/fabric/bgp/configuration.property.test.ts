import { afterAll, beforeAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { cidr, ip } from '../../model/address.ts'
import { fullMesh } from './cluster.ts'
import { BIRD_FILE, type BirdConfiguration, birdConfiguration, PASSWORDS_FILE } from './configuration.ts'
import { cluster, passwords, selfOf } from './testing/arbitraries.ts'

let folder = ''

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weft-bgp-'))
})

afterAll(() => {
  rmSync(folder, { recursive: true, force: true })
})

/** What `bird -p` says of a configuration: nothing when it takes it. */
function objection({ main, passwords: secrets }: Pick<BirdConfiguration, 'main' | 'passwords'>): string {
  writeFileSync(join(folder, BIRD_FILE), main)
  writeFileSync(join(folder, PASSWORDS_FILE), secrets)
  const { exitCode, stderr } = Bun.spawnSync(['bird', '-p', '-c', join(folder, BIRD_FILE)], {
    env: { ...process.env, PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` },
  })
  return exitCode === 0 ? '' : `${stderr.toString()} (${exitCode})`
}

const configured = cluster.chain((one) => fc.record({ cluster: fc.constant(one), self: selfOf(one), passwords }))

/** In ms: each of them is a process. */
const PATIENCE = 120_000

test(
  'BIRD takes every configuration, whatever names have in them',
  () => {
    fc.assert(
      fc.property(configured, ({ cluster: one, self, passwords: known }) => {
        const configuration = birdConfiguration(one, self, { passwords: known })
        expect(configuration).toBeDefined()
        if (configuration !== undefined) expect(objection(configuration)).toBe('')
      }),
      { numRuns: 150 },
    )
  },
  PATIENCE,
)

test('what BIRD does not take is seen by this test', () => {
  expect(objection({ main: 'router id 1.1.1.1;\nprotocol device {\n', passwords: '' })).toContain('syntax error')
})

test('no password is in the main file, and none that BIRD cannot have is in the other', () => {
  fc.assert(
    fc.property(configured, ({ cluster: one, self }) => {
      const known = new Map(['secret/a', 'secret/b', 'secret/"; }'].map((ref) => [ref, 'Geheim-4711']))
      const configuration = birdConfiguration(one, self, { passwords: known })
      expect(configuration?.main).not.toContain('Geheim-4711')
      const asked = configuration?.sessions.some(({ password }) => password !== undefined) ?? false
      expect(configuration?.passwords.includes('Geheim-4711')).toBe(asked)
    }),
  )
})

test('a session whose password is not known is left out, and said', () => {
  fc.assert(
    fc.property(configured, ({ cluster: one, self }) => {
      const configuration = birdConfiguration(one, self, { passwords: new Map() })
      expect(configuration?.sessions.filter(({ password }) => password !== undefined)).toEqual([])
      expect(configuration?.main).not.toContain('password ')
    }),
  )
})

test('the order of what is given does not matter', () => {
  fc.assert(
    fc.property(configured, ({ cluster: one, self, passwords: known }) => {
      const turned = {
        ...one,
        pools: one.pools.toReversed(),
        services: one.services.toReversed(),
        filters: one.filters.toReversed(),
        peers: one.peers.toReversed(),
        nodes: uniqueAddresses(one.nodes).toReversed(),
      }
      const upright = { ...one, nodes: uniqueAddresses(one.nodes) }
      expect(birdConfiguration(turned, { ...self, ranges: self.ranges.toReversed() }, { passwords: known })?.main).toBe(
        birdConfiguration(upright, self, { passwords: known })?.main,
      )
    }),
  )
})

/** Two nodes with one address are a mistake, of which one has to win. */
function uniqueAddresses<T extends { readonly addresses: object }>(nodes: readonly T[]): readonly T[] {
  const seen = new Set<string>()
  return nodes.map((node) => {
    const addresses = Object.entries(node.addresses).filter(([, address]) => !seen.has(address))
    for (const [, address] of addresses) seen.add(address)
    return { ...node, addresses: Object.fromEntries(addresses) }
  })
}

test('a filter stands once, however many sessions have it', () => {
  const meshed = (count: number) =>
    fullMesh(
      { networks: [] },
      Array.from({ length: count }, (_, n) => ({
        node: `n${n}`,
        machine: { kind: 'node', uid: `${n}` } as const,
        addresses: [ip(`192.0.2.${n + 1}`)],
        ranges: [],
      })),
    )
  const textOf = (count: number) =>
    birdConfiguration(meshed(count), { name: 'n0', ranges: [], services: [] }, { passwords: new Map() })?.main ?? ''
  const standing = (text: string) => text.match(/^filter session_.*$/gm)
  const [few, many] = [textOf(3), textOf(90)]
  expect(many.match(/^protocol bgp /gm)).toHaveLength(89)
  expect(many.match(/^ *(import|export) filter session_\w+;$/gm)).toHaveLength(2 * 89)
  expect(standing(many)).toHaveLength(2)
  expect(standing(many)).toEqual(standing(few))
})

test('a default route and the nodes’ own networks come in by no rule, and go out by one that names them', () => {
  const rule = (network: '0.0.0.0/0' | '192.0.2.1/32', operator: 'equal' | 'in') =>
    ({ action: 'accept', prefix: { operator, cidr: cidr(network) }, changes: [] }) as const
  const rules = {
    4: [rule('0.0.0.0/0', 'equal'), rule('192.0.2.1/32', 'equal'), rule('0.0.0.0/0', 'in')],
    6: [],
  }
  const machine = { node: 'n0', machine: { kind: 'node', uid: '0' }, addresses: [ip('192.0.2.1')], ranges: [] } as const
  const one = { ...fullMesh({ networks: [] }, [machine]), filters: [{ name: 'f', imports: rules, exports: rules }] }
  const text = birdConfiguration(one, { name: 'n0', ranges: [], services: [] }, { passwords: new Map() })?.main ?? ''
  const guards = (direction: string): readonly boolean[] =>
    (new RegExp(`function filter_f_\\w+_${direction}4\\(.*?\\n\\}`, 's').exec(text)?.[0] ?? '')
      .split('\n')
      .filter((line) => line.includes('accept'))
      .map((line) => line.includes('!weft_is_guarded4()'))
  expect(guards('import')).toEqual([true, true, true])
  expect(guards('export')).toEqual([false, false, true])
})
