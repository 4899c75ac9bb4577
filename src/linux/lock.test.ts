import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { lockFile } from './lock.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wefttest-linux-lock-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

test('a lock is one’s until it is given back', () => {
  const path = join(folder, 'lock')
  const mine = lockFile(path)
  expect(mine).toBeDefined()
  expect(lockFile(path)).toBeUndefined()
  mine?.[Symbol.dispose]()
  const next = lockFile(path)
  expect(next).toBeDefined()
  next?.[Symbol.dispose]()
})

test('a process that is killed gives its locks back', async () => {
  const path = join(folder, 'lock')
  const script = `
    const { lockFile } = await import(${JSON.stringify(join(import.meta.dir, 'lock.ts'))})
    globalThis.held = lockFile(${JSON.stringify(path)})
    console.log('locked')
    setInterval(() => undefined, 1000)`
  const child = Bun.spawn([process.execPath, '-e', script], { stdout: 'pipe', stderr: 'inherit' })
  await child.stdout.getReader().read()
  expect(lockFile(path)).toBeUndefined()
  child.kill('SIGKILL')
  await child.exited
  const mine = lockFile(path)
  expect(mine).toBeDefined()
  mine?.[Symbol.dispose]()
})

test('a folder that is not there is no lock of another’s', () => {
  expect(() => lockFile(join(folder, 'missing', 'lock'))).toThrow('ENOENT')
})

test('who removes the file while it has the lock lets nobody in beside the next one', async () => {
  const [path, marker] = [join(folder, 'lock'), join(folder, 'marker')]
  const script = `
    import { closeSync, openSync, rmSync } from 'node:fs'
    const { lockFile } = await import(${JSON.stringify(join(import.meta.dir, 'lock.ts'))})
    let held = 0
    for (let i = 0; i < 20_000 && held < 2_000; i += 1) {
      using lock = lockFile(${JSON.stringify(path)})
      if (lock === undefined) continue
      held += 1
      closeSync(openSync(${JSON.stringify(marker)}, 'wx'))
      rmSync(${JSON.stringify(marker)})
      rmSync(${JSON.stringify(path)})
    }`
  const run = () => Bun.spawn([process.execPath, '-e', script], { stdout: 'inherit', stderr: 'pipe' })
  const children = Array.from({ length: 4 }, run)
  const said = await Promise.all(children.map(({ stderr }) => stderr.text()))
  expect(said).toEqual(['', '', '', ''])
  expect(await Promise.all(children.map(({ exited }) => exited))).toEqual([0, 0, 0, 0])
}, 60_000)
