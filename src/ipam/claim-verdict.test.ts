import { describe, expect, test } from 'bun:test'
import { ip } from '../network/model/address.ts'
import { hasPlaceFor, type PodLife, type PodSetLife } from '../network/model/pod-life.ts'
import type { AddressClaim } from '../network/model/pool.ts'
import { ATTACH_MS, judgeClaim, type KnownClaim, SETTLE_MS } from './claim-verdict.ts'

const NOW = 1_000_000_000
const OLD = NOW - 3_600_000
const A = ip('172.18.30.131')
const B = ip('172.18.30.132')

const base: AddressClaim = {
  address: A,
  prefix: 16,
  pool: 'ippool-test',
  namespace: 'shop',
  pod: 'web-0',
  podUid: 'u1',
  ifname: 'eth0',
  containerId: 'c1',
  node: 'n1',
  isSticky: false,
  routes: [],
  hasCleanGateway: false,
}
const sticky: AddressClaim = {
  ...base,
  isSticky: true,
  owner: { apiVersion: 'apps/v1', kind: 'StatefulSet', name: 'web', uid: 's1' },
}
const running: PodLife = {
  namespace: 'shop',
  name: 'web-0',
  uid: 'u1',
  runtimeUid: 'u1',
  node: 'n1',
  phase: 'Running',
  addresses: [A],
}
const pending: PodLife = { ...running, phase: 'Pending', addresses: [] }
const ended: PodLife = { ...running, phase: 'Ended', endedAt: OLD }
const set: PodSetLife = { namespace: 'shop', name: 'web', uid: 's1', start: 0, replicas: 3 }

function known(value: AddressClaim, more: Partial<KnownClaim> = {}): KnownClaim {
  return { value, revision: 1, since: OLD, unchangedSince: OLD, ...more }
}

function verdict(
  value: AddressClaim,
  pod: PodLife | undefined,
  more: { readonly set?: PodSetLife; readonly since?: number; readonly all?: readonly KnownClaim[] } = {},
): string {
  const claim = known(value, { since: more.since ?? OLD })
  const said = judgeClaim(claim, { pod, set: more.set, all: [claim, ...(more.all ?? [])], now: NOW })
  return `${said.is} ${said.because}`
}

const other = { ...running, uid: 'u2', runtimeUid: 'u2' }
const fewer = { ...set, start: 1 }
const soon = NOW + 20_000
const past = NOW - 60_000

// The table of what Spiderpool's scan does, row by row; where we do something else, the row says why.
test.each<[string, string, string]>([
  ['there is no pod', verdict(base, undefined), 'garbage pod-gone'],
  ['there is no pod; a StatefulSet has the place', verdict(sticky, undefined, { set }), 'kept awaited'],
  [
    'there is no pod; the StatefulSet got smaller',
    verdict(sticky, undefined, { set: { ...set, replicas: 0 } }),
    'garbage set-gone',
  ],
  ['there is no pod; its numbers start later', verdict(sticky, undefined, { set: fewer }), 'garbage set-gone'],
  ['there is no pod and no StatefulSet', verdict(sticky, undefined), 'garbage set-gone'],
  ['sticky without a StatefulSet is not', verdict({ ...base, isSticky: true }, undefined, { set }), 'garbage pod-gone'],
  ['the pod is pending', verdict(base, pending), 'kept lives'],
  ['it ended', verdict(base, ended), 'garbage pod-ended'],
  ['it ended, and is deleted later', verdict(base, { ...ended, deadline: soon }), 'garbage pod-ended'],
  ['it ended just now: its runtime comes first', verdict(base, { ...ended, endedAt: NOW - 1000 }), 'kept ends'],
  ['it ended, and a StatefulSet has the place', verdict(sticky, ended, { set }), 'kept awaited'],
  ['it ended, and no StatefulSet has the place', verdict(sticky, ended), 'garbage pod-ended'],
  ['it is being deleted and past its grace', verdict(base, { ...running, deadline: past }), 'garbage pod-overdue'],
  ['past its grace, of a StatefulSet', verdict(sticky, { ...running, deadline: past }, { set }), 'kept awaited'],
  // Kubernetes has put the grace into the deletion's time already: it counts once.
  ['within its grace, with an address', verdict(base, { ...running, deadline: soon }), 'kept ends'],
  [
    'within its grace, without one',
    verdict(base, { ...running, addresses: [], deadline: soon }),
    'garbage sandbox-gone',
  ],
  // An ADD may be on its way.
  ['pending and being deleted', verdict(base, { ...pending, deadline: soon }), 'kept ends'],
  ['pending and past its grace', verdict(base, { ...pending, deadline: past }), 'garbage pod-overdue'],
  ['it runs', verdict(base, running), 'kept lives'],
  ['it runs, and no address is told', verdict(base, { ...running, addresses: [] }), 'kept lives'],
  [
    'it runs, and its first interface is another network’s',
    verdict({ ...base, ifname: 'net1' }, { ...running, addresses: [B] }),
    'kept lives',
  ],
  [
    'it runs, no address is told, of a StatefulSet',
    verdict(sticky, { ...running, addresses: [] }, { set }),
    'kept awaited',
  ],
  [
    'the same, and the StatefulSet got smaller',
    verdict(sticky, { ...running, addresses: [] }, { set: fewer }),
    'kept lives',
  ],
  [
    'within its grace, without an address, of a StatefulSet',
    verdict(sticky, { ...running, addresses: [], deadline: soon }, { set }),
    'kept awaited',
  ],
  [
    'the same, and the StatefulSet got smaller',
    verdict(sticky, { ...running, addresses: [], deadline: soon }, { set: fewer }),
    'garbage sandbox-gone',
  ],
  ['another pod has the name', verdict(base, other), 'garbage pod-replaced'],
  [
    'the next pod has it, and has no address yet',
    verdict(sticky, { ...other, addresses: [] }, { set }),
    'kept awaited',
  ],
  ['the next pod runs with this address', verdict(sticky, other, { set }), 'kept awaited'],
  [
    'the next pod runs with another address',
    verdict(sticky, { ...other, addresses: [B] }, { set }),
    'garbage not-taken-over',
  ],
  ['the next pod is none of the StatefulSet’s', verdict(sticky, other), 'garbage set-gone'],
  [
    'a static pod, whose copy has another uid',
    verdict({ ...base, podUid: 'static' }, { ...running, runtimeUid: 'static' }),
    'kept lives',
  ],
  ['a young claim whose pod nobody knows', verdict(base, undefined, { since: NOW - 29_000 }), 'kept young'],
  ['a young claim, and the pod of that name is another', verdict(base, other, { since: NOW - 29_000 }), 'kept young'],
])('%s', (_, said, expected) => {
  expect(said).toBe(expected)
})

describe('two claims of one interface and family', () => {
  const second = (more: Partial<AddressClaim>, rest: Partial<KnownClaim> = {}) =>
    known({ ...base, address: B, ...more }, { revision: 2, ...rest })

  test.each<[string, string, string]>([
    ['what the pod has stays', verdict(base, running, { all: [second({})] }), 'kept lives'],
    [
      'of one sandbox, the pod has the other',
      verdict(base, { ...running, addresses: [B] }, { all: [second({})] }),
      'garbage superseded',
    ],
    [
      'of one sandbox, the pod says neither',
      verdict(base, { ...running, addresses: [] }, { all: [second({})] }),
      'kept doubled',
    ],
    [
      'of an earlier sandbox',
      verdict(base, { ...running, addresses: [B] }, { all: [second({ containerId: 'c2' })] }),
      'garbage superseded',
    ],
    [
      'of an earlier sandbox, another interface',
      verdict(
        { ...base, ifname: 'net1' },
        { ...running, addresses: [] },
        { all: [second({ ifname: 'net1', containerId: 'c2' })] },
      ),
      'garbage superseded',
    ],
    [
      'the newer sandbox is too new',
      verdict(base, { ...running, addresses: [B] }, { all: [second({ containerId: 'c2' }, { unchangedSince: NOW })] }),
      'kept ends',
    ],
    [
      'the pod says it has the earlier sandbox’s',
      verdict(base, running, { all: [second({ containerId: 'c2' })] }),
      'kept lives',
    ],
    [
      'another interface’s, and the pod is of the earlier sandbox',
      verdict(
        { ...base, ifname: 'net1' },
        { ...running, addresses: [ip('172.18.30.140')] },
        {
          all: [second({ ifname: 'net1', containerId: 'c2' }), known({ ...base, address: ip('172.18.30.140') })],
        },
      ),
      'kept doubled',
    ],
    [
      'nobody watched',
      verdict(
        base,
        { ...running, addresses: [B] },
        {
          all: [{ value: { ...base, address: B, containerId: 'c2' }, revision: 2, since: OLD }],
        },
      ),
      'kept doubled',
    ],
    [
      'another family is no rival',
      verdict(base, { ...running, addresses: [] }, { all: [second({ address: ip('fd00::1') })] }),
      'kept lives',
    ],
    [
      'another pod’s is none',
      verdict(base, { ...running, addresses: [B] }, { all: [second({ podUid: 'u2' })] }),
      'kept lives',
    ],
  ])('%s', (_, said, expected) => {
    expect(said).toBe(expected)
  })

  test('an interface that the next sandbox has not: only after it had time for all of them', () => {
    const claim = known({ ...base, ifname: 'net1' })
    const eth0 = (unchangedSince: number) =>
      known({ ...base, address: B, containerId: 'c2' }, { revision: 2, unchangedSince })
    const facts = (newest: KnownClaim) => ({ pod: { ...running, addresses: [B] }, all: [claim, newest], now: NOW })
    expect(judgeClaim(claim, facts(eth0(NOW - SETTLE_MS)))).toEqual({
      is: 'kept',
      because: 'ends',
      recheck: ATTACH_MS - SETTLE_MS,
    })
    expect(judgeClaim(claim, facts(eth0(OLD)))).toEqual({ is: 'garbage', because: 'superseded' })
  })
})

test('time alone ends a wait', () => {
  const claim = known(base, { since: NOW - 10_000 })
  expect(judgeClaim(claim, { all: [], now: NOW })).toEqual({ is: 'kept', because: 'young', recheck: 20_000 })
  expect(judgeClaim(claim, { all: [], now: NOW + 20_000 }).is).toBe('garbage')
  const overdue = { pod: { ...running, deadline: soon }, all: [], now: NOW }
  expect(judgeClaim(known(base), overdue)).toEqual({ is: 'kept', because: 'ends', recheck: 20_000 + SETTLE_MS })
})

test.each([
  ['web-0', true],
  ['web-2', true],
  ['web-3', false],
  ['web-', false],
  ['web', false],
  ['web-01', false],
  ['web--1', false],
  ['other-0', false],
  ['web-1e1', false],
])('a StatefulSet web of three has %s: %p', (pod, has) => {
  expect(hasPlaceFor(set, pod)).toBe(has)
})

test('a StatefulSet that starts at 5', () => {
  const late = { ...set, start: 5, replicas: 2 }
  expect(['web-4', 'web-5', 'web-6', 'web-7'].map((pod) => hasPlaceFor(late, pod))).toEqual([false, true, true, false])
})
