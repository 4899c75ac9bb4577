import { expect, test } from 'bun:test'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { demoPods } from './demo.ts'
import { layoutOf, MAX_NODES, nodeLayouts, switchBeside } from './layout.ts'

test('names and places come from the folder', () => {
  const layout = layoutOf('/run/weft-play')
  const [first] = nodeLayouts(layout, 3)
  expect(first).toMatchObject({
    name: 'node1',
    netns: 'weft-play-node1',
    cniSocket: '/run/weft-play/node1/agent/cni.sock',
  })
  expect(layout.outsideNetns).toBe('weft-play-outside')
})

test('every node has its own addresses', () => {
  const addresses = nodeLayouts(layoutOf('/run/x'), MAX_NODES).flatMap((node) => node.addresses)
  expect(new Set<string>(addresses).size).toBe(2 * MAX_NODES)
})

test.each(['/run/Weft', '/run/weft play', '/run/-x', `/run/${'x'.repeat(41)}`, `/tmp/${'x/'.repeat(40)}play`, '/'])(
  '%s cannot be a playground’s folder',
  (path) => {
    expect(() => layoutOf(path)).toThrow('cannot be a playground')
  },
)

test.each([1, 2, 3, 5])('the demo has same-node and cross-node pairs on %d nodes', (nodes) => {
  const pods = demoPods(nodes)
  const names = nodeLayouts(layoutOf('/run/x'), nodes).map(({ name }) => name)
  expect(pods.every(({ node }) => names.includes(node))).toBe(true)
  const shop = pods.filter(({ namespace }) => namespace === 'shop')
  const onOneNode = shop.some((a) => shop.some((b) => a !== b && a.node === b.node))
  const across = shop.some((a) => shop.some((b) => a.node !== b.node))
  expect([onOneNode, across]).toEqual([true, nodes > 1])
})

test('the switch of a node’s agent is beside the agent’s folder, where it is a playground’s', () => {
  const runDir = mkdtempSync(join(tmpdir(), 'weft-layout-'))
  try {
    const [node] = nodeLayouts({ ...layoutOf('/run/x'), runDir }, 1)
    if (node === undefined) throw new Error('no node')
    expect(switchBeside(node.agentDir)).toBeUndefined()
    mkdirSync(node.ovsDir, { recursive: true })
    writeFileSync(node.ovsdbSocket, '')
    expect(switchBeside(node.agentDir)).toEqual({ ovsdb: node.ovsdbSocket, ovsRunDir: node.ovsDir })
  } finally {
    rmSync(runDir, { recursive: true, force: true })
  }
})
