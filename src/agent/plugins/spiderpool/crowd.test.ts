/** Agents of four nodes at once on exactly as many addresses as there are pods, killed at random instants. */
import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RegistryClient } from '../../../registry/client.ts'
import { MemoryRegistry } from '../../../registry/memory.ts'
import { serveRegistry } from '../../../registry/server.ts'
import { Crowd } from './testing/crowd.ts'

const folder = mkdtempSync(join(tmpdir(), 'weft-crowd-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** A crowd against a registry behind a socket of its own. */
async function crowdOf(pods: number) {
  const path = join(folder, `${crypto.randomUUID().slice(0, 8)}.sock`)
  const server = await serveRegistry(new MemoryRegistry({ history: 100_000 }), { path })
  const connect = () => new RegistryClient(path)
  const crowd = await Crowd.start({ pods, pools: 10, nodes: 4, atOnce: 16, connect, registry: connect() })
  const stop = async (): Promise<void> => {
    crowd.stop()
    await server.stop()
  }
  return { crowd, stop }
}

test('1,000 pods on 1,000 addresses, twice: each has one of its own, and none is left behind', async () => {
  const { crowd, stop } = await crowdOf(1000)
  try {
    for (let round = 0; round < 2; round += 1) {
      await crowd.addAll()
      expect([crowd.served, crowd.doubled(), await crowd.unclaimed(), await crowd.claims()]).toEqual([
        1000,
        [],
        [],
        1000,
      ])
      await crowd.delAll()
      expect(await crowd.claims()).toBe(0)
    }
  } finally {
    await stop()
  }
}, 120_000)

test('the same while agents are killed: none is ever doubled, and what was left behind is collected', async () => {
  const { crowd, stop } = await crowdOf(1000)
  let isOver = false
  const killing = (async () => {
    while (!isOver) {
      await Bun.sleep(Math.random() * 150)
      await crowd.kill(Math.floor(Math.random() * 4))
      expect(crowd.doubled()).toEqual([])
    }
  })()
  const collecting = (async () => {
    while (!isOver) {
      await Bun.sleep(100)
      await crowd.collect()
    }
  })()
  try {
    for (let round = 0; round < 2; round += 1) {
      await crowd.addAll()
      expect([crowd.served, crowd.doubled(), await crowd.unclaimed()]).toEqual([1000, [], []])
      await crowd.delAll()
      expect(crowd.served).toBe(0)
    }
    isOver = true
    await Promise.all([killing, collecting])
    await crowd.collect()
    expect(await crowd.claims()).toBe(0)
  } finally {
    isOver = true
    await Promise.allSettled([killing, collecting])
    await stop()
  }
}, 120_000)
