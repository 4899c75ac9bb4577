/**
 * Killed at any change, the command leaves all as before or all moved. `WEFT_TEST_LONG=1` kills at every one.
 */
import { afterAll, beforeAll, expect, test } from 'bun:test'
import { lastEnding } from './guard/state.ts'
import { type Site, startSite } from './testing/site.ts'

const isLong = process.env['WEFT_TEST_LONG'] !== undefined
const PATIENCE_MS = isLong ? 600_000 : 120_000

let site: Site
let before: string
let changes: number

beforeAll(async () => {
  site = await startSite()
  before = await site.picture()
  changes = (await site.call('create'))?.changes ?? 0
  expect(changes).toBeGreaterThan(50)
  expect(await site.call('remove')).not.toHaveProperty('error')
  expect(await site.picture()).toBe(before)
}, PATIENCE_MS)

afterAll(async () => {
  await site?.[Symbol.asyncDispose]()
})

/** Numbers of changes: every one, or some that are spread over all of them, others each time. */
function sample(count: number, size: number): readonly number[] {
  if (isLong) return Array.from({ length: count }, (_, i) => i)
  const width = count / size
  return Array.from({ length: size }, (_, i) => Math.min(count - 1, Math.floor((i + Math.random()) * width)))
}

test(
  'create, killed with -9: the guard takes everything back',
  async () => {
    for (const killAt of sample(changes, 5)) {
      expect(await site.call('create', { killAt })).toBeUndefined()
      await site.quiet()
      expect(`at ${killAt}\n${await site.picture()}`).toBe(`at ${killAt}\n${before}`)
    }
  },
  PATIENCE_MS,
)

test(
  'create, killed with its guard: the next command takes everything back and goes on',
  async () => {
    for (const killAt of sample(changes, 2)) {
      expect(await site.call('create', { killAt, killsGuard: true })).toBeUndefined()
      const told = await site.call('create')
      expect(`at ${killAt}: ${told?.error?.message}`).toBe(`at ${killAt}: undefined`)
      expect(await site.call('remove')).not.toHaveProperty('error')
      expect(`at ${killAt}\n${await site.picture()}`).toBe(`at ${killAt}\n${before}`)
    }
  },
  PATIENCE_MS,
)

test(
  'remove, killed with -9: the bridge has everything again, or the card, and then removing it again ends it',
  async () => {
    await site.call('create')
    const moved = await site.picture()
    const whole = await site.call('remove')
    expect(await site.picture()).toBe(before)
    const count = whole?.changes ?? 0
    await site.call('create')
    for (const killAt of sample(count, 4)) {
      expect(await site.call('remove', { killAt })).toBeUndefined()
      await site.quiet()
      const found = await site.picture()
      // The last change removes the bridge: nothing is guarded any more, and nothing depends on it.
      if (killAt < count - 1) expect(`at ${killAt}\n${found}`).toBe(`at ${killAt}\n${moved}`)
      else {
        expect(await site.call('remove')).not.toHaveProperty('error')
        expect(await site.picture()).toBe(before)
        await site.call('create')
      }
    }
    expect(await site.call('remove')).not.toHaveProperty('error')
    expect(await site.picture()).toBe(before)
  },
  PATIENCE_MS,
)

test.skipIf(!isLong)(
  'create, stopped for longer than a guard waits (WEFT_TEST_LONG=1): it is ended, and everything taken back',
  async () => {
    const shell = { at: Math.floor(changes / 2), script: 'kill -STOP $PPID' }
    expect(await site.call('create', { shell })).toBeUndefined()
    await site.quiet()
    expect(await site.picture()).toBe(before)
    expect(lastEnding(site.folder, 'br1')?.reason).toContain('nothing was heard of the command')
  },
  PATIENCE_MS,
)
