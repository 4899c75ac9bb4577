import { afterAll, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ProxyKeeper } from './keeper.ts'

const folder = mkdtempSync(join(tmpdir(), 'wefttest-flannel-keeper-'))
const path = join(folder, 's.sock')
afterAll(() => rmSync(folder, { recursive: true }))

/** Takes every connection and ends it at once, as a process does that is about to end. */
const ENDING = `
const { AF_UNIX, closeFd, encodeSockaddr, openSocket, SOCK_SEQPACKET, systemCalls } = await import(process.argv[2])
const fd = openSocket(AF_UNIX, SOCK_SEQPACKET, 0)
const calls = systemCalls()
calls.bind(fd, encodeSockaddr({ family: 'unix', path: process.argv[1] }))
calls.listen(fd, 16)
console.log('listens')
for (;;) {
  const one = calls.accept4(fd, 0)
  if (one >= 0) closeFd(one)
}`

test('who ends while it is asked, before or after the question is read, is not there: that is no error', async () => {
  const index = join(import.meta.dir, '../../linux/index.ts')
  const child = Bun.spawn([process.execPath, '-e', ENDING, path, index], { stdout: 'pipe', stderr: 'inherit' })
  try {
    await child.stdout.getReader().read()
    const keeper = new ProxyKeeper(path, { file: '', args: [], argv0: '' })
    const answers = new Set<unknown>()
    for (let round = 0; round < 2_000; round += 1) answers.add(await keeper.end().catch((error) => error.code))
    expect([...answers]).toEqual([false])
  } finally {
    child.kill('SIGKILL')
    await child.exited
  }
}, 120_000)
