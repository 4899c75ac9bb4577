/** What a pod's port has from the start on a guarded bridge, and who is refused. */
import { expect, test } from 'bun:test'
import { Guarding, type GuardLimits } from './guarding.ts'

const POD = { namespace: 'shop', name: 'cart', uid: 'u', infraContainerId: undefined }

function guarding(limits: Partial<GuardLimits> & { readonly asked?: object; readonly wrong?: string } = {}): Guarding {
  const { asked = {}, wrong, ...rest } = limits
  const wires = { isOurs: (bridge: string) => bridge === 'br1', put: async () => undefined, remove: () => undefined }
  return new Guarding(
    wires,
    { leaseOf: () => undefined },
    {
      limiter: {
        limitsFor: () => ({ limits: asked, problems: wrong === undefined ? [] : [wrong] }),
        attached: () => undefined,
      },
      shaper: { apply: () => 'settled' },
      overlay: { freeOfport: () => 0x1234, handsOff: { row: async () => 'a-row' } as never },
      waitingFor: () => [],
      ...rest,
    },
  )
}

test('others’ bridges ask for nothing', async () => {
  expect(await guarding({ wrong: 'no' }).admit('br0', POD)).toBeUndefined()
})

test('a pod has a number of the agent’s, and no row where nothing is limited', async () => {
  expect(await guarding().admit('br1', POD)).toEqual({ ofport: 0x1234, limits: {}, externalIds: {} })
})

test('limits are recorded with the port, which Open vSwitch keeps its hands off', async () => {
  expect(await guarding({ asked: { toPod: 5_000_000, fromPod: 1_000_000 } }).admit('br1', POD)).toEqual({
    ofport: 0x1234,
    limits: { toPod: 5_000_000, fromPod: 1_000_000 },
    externalIds: { 'weft-limits': 'to-pod=5000000 from-pod=1000000' },
    qos: 'a-row',
  })
})

test('a limit that makes no sense is refused', async () => {
  await expect(guarding({ wrong: 'a limit of nothing' }).admit('br1', POD)).rejects.toThrow('a limit of nothing')
})

test('nobody is taken while policies are not known, but on others’ bridges', () => {
  const one = guarding({ waitingFor: () => ['the registry'] })
  expect(() => one.checkReady('br1')).toThrow('the registry')
  expect(() => one.checkReady('br0')).not.toThrow()
  expect(() => guarding().checkReady('br1')).not.toThrow()
})
