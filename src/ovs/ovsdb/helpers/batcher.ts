import type { OvsdbClient } from '../client/open-vswitch.ts'
import { isOvsdbError } from '../errors.ts'
import { type AddedPort, addPort, addPorts, type PortRequest } from './ports.ts'

/** Merges the ports asked for in one turn of the event loop into one transaction. */
export type PortBatcher = {
  /** As `addPort`. A port that cannot be added fails alone. */
  add(request: PortRequest): Promise<AddedPort>
}

type Waiting = {
  readonly request: PortRequest
  readonly resolve: (added: AddedPort) => void
  readonly reject: (error: unknown) => void
}

/** Makes a batcher. A transaction refused by the server changed nothing, so its requests are then tried one by one. */
export function createPortBatcher(client: Pick<OvsdbClient, 'transact'>): PortBatcher {
  let waiting: Waiting[] = []
  const flush = (): void => {
    const batch = waiting
    waiting = []
    runBatch(client, batch).catch((error: unknown) => {
      for (const one of batch) one.reject(error)
    })
  }
  return {
    add: (request) =>
      new Promise((resolve, reject) => {
        waiting.push({ request, resolve, reject })
        if (waiting.length === 1) setImmediate(flush)
      }),
  }
}

async function runBatch(client: Pick<OvsdbClient, 'transact'>, batch: readonly Waiting[]): Promise<void> {
  try {
    const added = await addPorts(
      client,
      batch.map((one) => one.request),
    )
    for (const [index, port] of added.entries()) batch[index]?.resolve(port)
  } catch (error) {
    // With an unknown outcome a second try could collide with the first; without a connection it is pointless.
    const hopeless = isOvsdbError(error) && (error.retryable || error.outcomeUnknown || error.code === 'OVSDB_CLOSED')
    if (hopeless || batch.length === 1) throw error
    await Promise.all(batch.map((one) => addPort(client, one.request).then(one.resolve, one.reject)))
  }
}
