/** On a real kernel: a table of our own, whose rules need another's chain. */
import { afterAll, beforeEach, describe, expect, test } from 'bun:test'
import { applyRuleset, LinuxError, listRuleset } from '../../linux/index.ts'
import { type FilterWish, OwnFilters } from './own-filters.ts'

const NETNS = `wefttest-own-filters-${process.pid}`
const HERE = { netns: NETNS }
const NO_RULESET = 'table inet own\ndelete table inet own\n'
const OTHERS = 'table inet others { chain some { }; }\n'
/** Refused while the chain of the others is not there. */
const WISH: FilterWish = {
  ruleset: `${NO_RULESET}table inet own { chain forward { type filter hook forward priority filter; }; }
flush chain inet others some\n`,
  acceptance: [],
  traffic: [],
}

if (Bun.spawnSync(['ip', 'netns', 'add', NETNS]).exitCode !== 0) throw new Error('ip netns add failed')
afterAll(() => void Bun.spawnSync(['ip', 'netns', 'delete', NETNS]))
beforeEach(() => applyRuleset('flush ruleset', HERE))

const filters = (): OwnFilters =>
  new OwnFilters({ table: 'own', noRuleset: NO_RULESET, acceptance: { chain: 'OWN', comment: 'own' } }, HERE)
const isThere = async (): Promise<boolean> => JSON.stringify(await listRuleset(HERE)).includes('"own"')
const refused = expect.objectContaining({ code: 'LINUX_TOOL' })

async function failing(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    (done) => ({ done }),
    (error: unknown) => (error instanceof LinuxError ? error : Promise.reject(error)),
  )
}

describe('filters of one owner', () => {
  test('are not looked at again unless it is asked', async () => {
    await applyRuleset(OTHERS, HERE)
    const own = filters()
    expect(await own.apply(WISH, false)).toEqual([])
    await applyRuleset(NO_RULESET, HERE)
    expect(await own.apply(WISH, false)).toEqual([])
    expect(await isThere()).toBe(false)
    expect(await own.apply(WISH, true)).toEqual([])
    expect(await isThere()).toBe(true)
  })

  test('that could not be brought back are not forgotten by the next turn', async () => {
    await applyRuleset(OTHERS, HERE)
    const own = filters()
    await own.apply(WISH, false)
    await applyRuleset('flush ruleset', HERE)
    expect(await failing(own.apply(WISH, true))).toEqual(refused)
    expect(await failing(own.apply(WISH, false))).toEqual(refused)
    await applyRuleset(OTHERS, HERE)
    expect(await own.apply(WISH, false)).toEqual([])
    expect(await isThere()).toBe(true)
  })
})
