import { expect, test } from 'bun:test'
import { healthOf, type Standing } from './health.ts'

const wait = (holder: string): Standing => ({ does: 'wait', holder, identity: 'me' })

test.each([
  ['leads, and has read', { does: 'lead', hasRead: true }, { ready: true, leading: true }],
  [
    'leads, and has not read',
    { does: 'lead', hasRead: false },
    { ready: false, waitingFor: ['the cluster to be read'] },
  ],
  ['waits while another leads', wait('other'), { ready: true, leading: false, waitingFor: [] }],
  ['waits, and nobody leads', wait(''), { ready: false, waitingFor: ['the election'] }],
  ['waits, between two terms of its own', wait('me'), { ready: false, waitingFor: ['the election'] }],
] as const)('a controller that %s', (_, state, health) => {
  expect(healthOf(state)).toMatchObject(health)
})
