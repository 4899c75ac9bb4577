/**
 * A way to an ovsdb-server that ends in the middle: what a command leaves when it dies there.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Listens beside `server`, and lets callers through until the n-th transaction begins; nobody comes through after that. */
export async function cutBefore(server: string, nth: number): Promise<Disposable & { readonly socket: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'wefttest-cut-'))
  const socket = join(folder, 'sock')
  let transactions = 0
  const listener = createServer((caller) => {
    const onward = connect(server)
    const end = (): void => void [caller.destroy(), onward.destroy()]
    for (const side of [caller, onward]) side.on('error', end).on('close', end)
    onward.pipe(caller)
    caller.on('data', (bytes) => {
      transactions += bytes.toString().split('"transact"').length - 1
      if (transactions < nth) onward.write(bytes)
      else end()
    })
  })
  await new Promise<void>((resolve) => listener.listen(socket, resolve))
  return {
    socket,
    [Symbol.dispose]: () => {
      listener.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
