/** What a killed run left behind is recognised and removed; what belongs to a run that goes on, or to nobody, is left alone. */
import { afterEach, expect, test } from 'bun:test'
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { netnsList } from '../../../src/linux/netns.ts'
import { eventually } from '../../lab/lab.ts'
import { netnsOf, ownFolder, removeFolder, removeLeftovers } from './folder.ts'
import { newNetns } from './links.ts'

const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end()
})

/** A folder whose owner is another process, with a program in it that outlives it, and a namespace. */
async function ofKilledRun(): Promise<{ readonly folder: string; readonly survivor: number; readonly netns: string }> {
  const script = `
    const { ownFolder, netnsOf } = await import(${JSON.stringify(join(import.meta.dir, 'folder.ts'))})
    const { newNetns } = await import(${JSON.stringify(join(import.meta.dir, 'links.ts'))})
    const folder = await ownFolder()
    const netns = netnsOf(folder, 'machine')
    await newNetns(netns)
    const child = Bun.spawn(['setsid', 'sleep', '600'], { cwd: folder, stdio: ['ignore', 'ignore', 'ignore'] })
    console.log(JSON.stringify({ folder, netns, survivor: child.pid }))
    await Bun.sleep(600_000)`
  const run = Bun.spawn([process.execPath, '-e', script], { stdin: 'ignore', stdout: 'pipe', stderr: 'inherit' })
  ended.push(() => run.kill('SIGKILL'))
  const { value } = await run.stdout.getReader().read()
  const made = JSON.parse(new TextDecoder().decode(value))
  ended.push(() => removeFolder(made.folder))
  run.kill('SIGKILL')
  await run.exited
  return made
}

test('folder, namespace and processes of a killed run are removed by the next', async () => {
  const { folder, survivor, netns } = await ofKilledRun()
  expect([existsSync(folder), existsSync(`/proc/${survivor}`), netnsList().includes(netns)]).toEqual([true, true, true])
  const own = await ownFolder()
  ended.push(() => removeFolder(own))
  await eventually('the process is gone', () => !existsSync(`/proc/${survivor}`))
  expect([existsSync(folder), netnsList().includes(netns)]).toEqual([false, false])
})

test('what goes on, and what nobody has put a name to, stays', async () => {
  const own = await ownFolder()
  ended.push(() => removeFolder(own))
  const netns = netnsOf(own, 'machine')
  await newNetns(netns)
  const unnamed = mkdtempSync(join(tmpdir(), 'weft-cloud-'))
  ended.push(() => rmSync(unnamed, { recursive: true }))
  const garbled = mkdtempSync(join(tmpdir(), 'weft-cloud-'))
  ended.push(() => rmSync(garbled, { recursive: true }))
  writeFileSync(join(garbled, 'owner.json'), '{"pid":')
  mkdirSync(join(own, 'neutron'))
  await removeLeftovers()
  expect([own, unnamed, garbled].filter((folder) => !existsSync(folder))).toEqual([])
  expect(netnsList()).toContain(netns)
})
