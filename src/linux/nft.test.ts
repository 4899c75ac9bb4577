import { expect, test } from 'bun:test'
import { closeSync } from 'node:fs'
import { netnsAdd, netnsDel } from './netns.ts'
import { applyRuleset, listRuleset } from './nft.ts'

test('a ruleset is applied in its namespace, as text and as JSON, all or nothing', async () => {
  const netns = `wefttest-linux-nft-${process.pid}`
  closeSync(netnsAdd(netns))
  try {
    await applyRuleset('add table inet weft\nadd chain inet weft one', { netns })
    await applyRuleset({ nftables: [{ add: { chain: { family: 'inet', table: 'weft', name: 'two' } } }] }, { netns })
    const bad = 'add chain inet weft three\nadd rule inet weft nowhere accept'
    expect(await applyRuleset(bad, { netns }).catch((error) => error.code)).toBe('LINUX_TOOL')
    const found = JSON.stringify(await listRuleset({ netns, table: 'inet weft' }))
    expect(
      ['one', 'two', 'three'].filter(
        (chain) => found.includes(`"name": "${chain}"`) || found.includes(`"name":"${chain}"`),
      ),
    ).toEqual(['one', 'two'])
    await expect(listRuleset({ netns, table: 'inet x; flush ruleset' })).rejects.toThrow('table')
  } finally {
    netnsDel(netns)
  }
})

test('an nft that does not end in time is not said to have refused anything', async () => {
  const netns = `wefttest-linux-slow-${process.pid}`
  closeSync(netnsAdd(netns))
  try {
    const elements = Array.from({ length: 50_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`).join(', ')
    const long = `table inet weft { set all { type ipv4_addr; elements = { ${elements} }; }; }`
    await expect(applyRuleset(long, { netns, timeoutMs: 1 })).rejects.toThrow('nft did not end within 1 ms')
  } finally {
    netnsDel(netns)
  }
})
