/** Which pod it is that a runtime names. */
import { expect, test } from 'bun:test'
import type { Pod } from '../../network/model/pod.ts'
import { RegistryError } from '../../registry/registry.ts'
import { LocalPods } from './local-pods.ts'
import { podWith } from './testing/call.ts'

const CART = podWith({ a: 'b' })
const LATER: Pod = { ...CART, uid: 'u2' }
const named = (uid: string | undefined) => ({ namespace: 'shop', name: 'cart', uid, infraContainerId: undefined })

/** The pods of node1, of which the API server has this one to tell of. */
function podsOf(stored: Pod | Error | undefined): LocalPods & { readonly asked: string[] } {
  const asked: string[] = []
  const get = async (_kind: string, key: string) => {
    asked.push(key)
    if (stored instanceof Error) throw stored
    return stored === undefined ? undefined : { value: stored, revision: '1' }
  }
  return Object.assign(new LocalPods('node1', { get: get as never }), { asked })
}

test('one that a watch has told of is known without asking, for as long as it is on this node', async () => {
  const pods = podsOf(undefined)
  pods.put(CART)
  expect(await pods.find(named('u1'))).toBe(CART)
  expect(await pods.find(named(undefined))).toBe(CART)
  expect(pods.known(named('u9'))).toBe(CART)
  expect(pods.asked).toEqual([])
  pods.put({ ...CART, node: 'node2' })
  expect(pods.known(named('u1'))).toBeUndefined()
  pods.put(CART)
  pods.remove('shop/cart')
  expect(await pods.find(named('u1'))).toBeUndefined()
  expect(pods.asked).toEqual(['shop/cart'])
})

test('one that no watch has told of yet is asked for', async () => {
  expect(await podsOf(CART).find(named('u1'))).toBe(CART)
  expect(await podsOf(CART).find(named(undefined))).toBe(CART)
})

test('one made anew under its name is asked for: what was known is of its predecessor', async () => {
  const pods = podsOf(LATER)
  pods.put(CART)
  expect(await pods.find(named('u2'))).toBe(LATER)
})

test('one that the cluster has not is nobody', async () => {
  expect(await podsOf(undefined).find(named('u1'))).toBeUndefined()
})

test.each<[string, Pod | Error, string]>([
  ['the API server knows another of the name', LATER, 'the API server knows uid u2 of this name'],
  ['nobody can be asked', new RegistryError('REGISTRY_UNAVAILABLE', 'away'), 'away'],
])('to be tried again where %s', async (_, stored, words) => {
  await expect(podsOf(stored).find(named('u1'))).rejects.toEqual(
    expect.objectContaining({
      id: 'pod-unknown-yet',
      code: 11,
      message: expect.stringContaining(words),
    }),
  )
})
