import { expect, test } from 'bun:test'
import { existsSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runApi } from './api-process.ts'
import { formats } from './apiserver/all-formats.ts'
import { serveApi } from './apiserver/serve.ts'
import { layoutOf } from './layout.ts'
import { clusterOf, DEFAULT_SHAPE } from './options.ts'
import { makeFolders, writeState } from './state.ts'

test('a server that cannot listen leaves nothing open', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wefttest-playground-'))
  const holder = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  try {
    const { serviceNetworks } = clusterOf(DEFAULT_SHAPE)
    const refused = serveApi({ dir, formats, serviceNetworks, tls: false, port: holder.port })
    await expect(refused).rejects.toMatchObject({ code: 'EADDRINUSE' })
    expect(openFilesIn(dir)).toEqual([])
  } finally {
    holder.stop(true)
    rmSync(dir, { recursive: true, force: true })
  }
})

test('a server whose port was taken listens at another, on one store', async () => {
  const dir = mkdtempSync(join(tmpdir(), 'wefttest-playground-'))
  const layout = layoutOf(join(dir, 'wefttest-playground-api'))
  const holder = Bun.listen({ hostname: '127.0.0.1', port: 0, socket: { data: () => undefined } })
  const ending = new AbortController()
  try {
    makeFolders(layout)
    writeState(layout, { version: 1, shape: DEFAULT_SHAPE, datapath: 'netdev', complete: true })
    writeFileSync(join(layout.apiDir, 'port'), String(holder.port))
    const listening = Promise.withResolvers<void>()
    const quiet = () => undefined
    const log = { debug: quiet, info: () => listening.resolve(), warn: quiet, error: quiet }
    const running = runApi(layout, log, ending.signal)
    await Promise.race([listening.promise, running])
    expect(readFileSync(join(layout.apiDir, 'port'), 'utf8')).not.toBe(String(holder.port))
    expect(existsSync(layout.kubeconfig)).toBe(true)
    const stores = openFilesIn(layout.apiDir).filter((path) => path.endsWith('.sqlite'))
    expect(stores).toEqual([join(layout.apiDir, 'store.sqlite')])
    ending.abort()
    await running
    expect(openFilesIn(layout.apiDir)).toEqual([])
  } finally {
    ending.abort()
    holder.stop(true)
    rmSync(dir, { recursive: true, force: true })
  }
})

/** The files below a folder that this process holds open, one entry each time. */
function openFilesIn(folder: string): readonly string[] {
  const open = readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/self/fd/${fd}`)]
    } catch {
      // The one that reads the folder.
      return []
    }
  })
  return open.filter((path) => path.startsWith(`${folder}/`))
}
