/** What names pools: every source and what is refused of it. */
import { describe, expect, test } from 'bun:test'
import type { PoolQuestion } from './question.ts'
import { selectPools } from './select.ts'
import { ask, chosen, failure, IPPOOL, IPPOOLS, json, known, pool, SETTINGS, summary, v6 } from './testing/asking.ts'

describe('the first source that names pools counts, alone', () => {
  const pools = [...'abcde'].flatMap((name) => [pool(`p${name}`), v6(`q${name}`)])
  const all = [
    ...pools,
    pool('d1', { isDefault: true }),
    v6('d2', { isDefault: true }),
    pool('d0', { isDefault: true }),
  ]
  const everything = {
    [IPPOOLS]: json([{ interface: 'eth0', ipv4: ['pa'] }]),
    [IPPOOL]: json({ ipv4: ['pb'] }),
  }
  const namespace = { name: 'shop', defaultPools: { ipv4: '["pc"]' } }
  const defaults = { 4: ['pd'], 6: [] }
  const { [IPPOOL]: ippool } = everything
  test.each<[string, PoolQuestion, string]>([
    ['ippools', ask(everything, { namespace, defaults }), 'ippools 4:pa'],
    ['ippool', ask({ [IPPOOL]: ippool }, { namespace, defaults }), 'ippool 4:pb'],
    ['namespace', ask({}, { namespace, defaults }), 'namespace 4:pc'],
    ['configuration', ask({}, { defaults }), 'configuration 4:pd'],
    ['default pools', ask(), 'default pools 4:d0,d1 6:d2'],
    ['both families', ask({ [IPPOOL]: json({ ipv6: ['qa'], ipv4: ['pa'] }) }), 'ippool 4:pa 6:qa'],
    ['one family alone', ask({ [IPPOOL]: json({ ipv6: ['qa'] }) }), 'ippool 6:qa'],
    [
      'a namespace’s IPv6 alone',
      ask({}, { namespace: { name: 'shop', defaultPools: { ipv6: '["qa"]' } }, defaults }),
      'namespace 6:qa',
    ],
    [
      'a namespace’s empty list is none',
      ask({}, { namespace: { name: 'shop', defaultPools: { ipv4: '[]' } }, defaults }),
      'configuration 4:pd',
    ],
    ['keys nobody knows', ask({ [IPPOOL]: json({ ipv4: ['pa'], interface: 'eth0', x: 1 }) }), 'ippool 4:pa'],
  ])('%s', (_, question, expected) => expect(chosen(question, all)).toBe(expected))

  test('nothing names a pool', () => expect(chosen(ask(), [pool('pa')])).toBe('default pools '))

  test('the user’s order stays, each pool once', () => {
    expect(chosen(ask({ [IPPOOL]: json({ ipv4: ['pc', 'pa', 'pc', 'pb'] }) }), all)).toBe('ippool 4:pc,pa,pb')
  })
})

describe('wildcards', () => {
  const pools = [pool('web-2'), pool('web-1'), pool('db'), v6('web-6'), pool('web-10')]
  const defaults = { 4: ['web-?'], 6: [] }
  test.each<[string, PoolQuestion, string]>([
    ['of a pod', ask({ [IPPOOL]: json({ ipv4: ['web-*'] }) }), 'ippool 4:web-1,web-10,web-2'],
    ['by interface', ask({ [IPPOOLS]: json([{ ipv4: ['db', 'web-[12]'] }]) }), 'ippools 4:db,web-1,web-2'],
    ['of a namespace', ask({}, { namespace: { name: 'shop', defaultPools: { ipv6: '["*"]' } } }), 'namespace 6:web-6'],
    ['of the configuration', ask({}, { defaults }), 'configuration 4:web-1,web-2'],
  ])('%s: the family’s pools in place', (_, question, expected) => expect(chosen(question, pools)).toBe(expected))

  test('one that matches nothing is named', () => {
    const { choices } = selectPools(ask({ [IPPOOL]: json({ ipv4: ['x*'] }) }), known(pools), SETTINGS)
    expect(choices[0]?.filtered).toEqual([{ pool: 'x*', reason: 'matches no pool' }])
  })
})

describe('ippools', () => {
  const pools = [pool('p0'), pool('p1'), pool('p2')]
  const named = json([
    { interface: 'eth0', ipv4: ['p0'] },
    { interface: 'net1', ipv4: ['p1'], cleangateway: true },
  ])
  const unnamed = json([{ ipv4: ['p0'] }, { ipv4: ['p1'] }])
  const on = (text: string, ifname: string, ordinal: number, hasCleanGateway = false) =>
    selectPools(ask({ [IPPOOLS]: text }, { ifname, ordinal, hasCleanGateway }), known(pools), SETTINGS)

  test.each([
    ['by name', named, 'net1', 1, '4:p1', true],
    ['by name, whatever the place', named, 'eth0', 5, '4:p0', false],
    ['by place', unnamed, 'net1', 1, '4:p1', false],
  ] as const)('%s', (_, text, ifname, ordinal, expected, isClean) => {
    const { choices, hasCleanGateway } = on(text, ifname, ordinal)
    expect([summary(choices), hasCleanGateway]).toEqual([expected, isClean])
  })

  test('what an item does not say of the gateway the configuration says', () => {
    expect([on(unnamed, 'eth0', 0, true).hasCleanGateway, on(named, 'net1', 1, false).hasCleanGateway]).toEqual([
      true,
      true,
    ])
    expect(on(json([{ ipv4: ['p0'], cleangateway: false }]), 'eth0', 0, true).hasCleanGateway).toBe(false)
  })

  test.each([
    ['an interface that is not named', named, 'net2', 2, 'interface: interface net2 must be specified'],
    ['a place that is not there', unnamed, 'net2', 2, '[2]: interface net2 must be specified'],
    ['no items', '[]', 'eth0', 0, 'value: must have an item for each interface, and has none'],
    [
      'some named',
      json([{ interface: 'eth0', ipv4: ['p0'] }, { ipv4: ['p1'] }]),
      'eth0',
      0,
      '[1].interface: interfaces are named in all items or in none',
    ],
    [
      'a name twice',
      json([
        { interface: 'eth0', ipv4: ['p0'] },
        { interface: 'eth0', ipv4: ['p1'] },
      ]),
      'eth0',
      0,
      '[1].interface: is that of item 0, too',
    ],
    [
      'a bad name',
      json([{ interface: 'a/b', ipv4: ['p0'] }]),
      'eth0',
      0,
      '[0].interface: must not contain a slash, a colon, white space or control characters',
    ],
    ['no pools', json([{ interface: 'eth0' }]), 'eth0', 0, '[0].ipv4: names no pool, and neither does ipv6'],
    [
      'cleangateway as text',
      json([{ ipv4: ['p0'], cleangateway: 'yes' }]),
      'eth0',
      0,
      '[0].cleangateway: must be true or false',
    ],
    ['an object', '{}', 'eth0', 0, 'value: must be a list'],
  ] as const)('refused: %s', (_, text, ifname, ordinal, why) => {
    // What is of the right form is not told about it.
    const form = why.endsWith('specified') ? '' : '; the form is [{"interface": "eth0", "ipv4": ["pool-a"]}]'
    expect(failure(() => on(text, ifname, ordinal))).toEqual({
      id: 'annotation-invalid',
      code: 7,
      message: `annotation ${IPPOOLS} of the pod: ${why}${form}`,
    })
  })
})

describe('malformed, with annotation and field', () => {
  test.each([
    ['no JSON', '{', 'value: must be JSON: unexpected end at line 1, column 2'],
    ['empty', '', 'value: must be JSON: empty'],
    ['a list', '[]', 'value: must be an object'],
    ['no pools', '{}', 'ipv4: names no pool, and neither does ipv6'],
    ['a text for a list', json({ ipv4: 'p1' }), 'ipv4: must be a list'],
    ['a number for a name', json({ ipv6: ['a', 7] }), 'ipv6[1]: must be a string'],
    ['an empty name', json({ ipv4: [''] }), 'ipv4[0]: must have 1 to 253 characters'],
    ['a malformed pattern', json({ ipv4: ['a', 'p['] }), 'ipv4[1]: is a malformed pattern'],
    ['too many', json({ ipv4: Array.from({ length: 65 }, () => 'p') }), 'ipv4: must not have more than 64 items'],
    ['prototypes', '{"__proto__": {"ipv4": ["p"]}}', 'ipv4: names no pool, and neither does ipv6'],
  ])('%s', (_, text, why) => {
    const { id, message } = failure(() => chosen(ask({ [IPPOOL]: text }), [pool('p')]))
    const form = '{"ipv4": ["pool-a"], "ipv6": ["pool-b"]}'
    expect([id, message]).toEqual([
      'annotation-invalid',
      `annotation ${IPPOOL} of the pod: ${why}; the form is ${form}`,
    ])
  })

  test('of a namespace', () => {
    const namespace = { name: 'shop', defaultPools: { ipv4: '{}' } }
    expect(failure(() => chosen(ask({}, { namespace }), []))).toEqual({
      id: 'namespace-annotation-invalid',
      code: 7,
      message:
        'annotation ipam.spidernet.io/default-ipv4-ippool of namespace shop: value: must be a list; the form is ["pool-a", "pool-b"]',
    })
  })
})

test('a family that is off is refused where it is asked for, and left out of default pools', () => {
  const onlyV4 = { ...SETTINGS, families: new Set([4] as const) }
  const { id, message } = failure(() => chosen(ask({ [IPPOOL]: json({ ipv4: ['a'], ipv6: ['b'] }) }), [], onlyV4))
  expect([id, message]).toEqual([
    'pool-family-disabled',
    `annotation ${IPPOOL} of the pod names IPv6 pools for eth0, and IPv6 is off`,
  ])
  const marked = [pool('a', { isDefault: true }), v6('b', { isDefault: true })]
  expect(chosen(ask(), marked, onlyV4)).toBe('default pools 4:a')
})
