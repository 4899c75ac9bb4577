/**
 * Making a mesh and taking it away without the rest of the program, so that a test can kill it before any call that changes something.
 * Arguments: a {@link Call} as JSON. Prints how many such calls were made.
 */
import { openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { decodeMeshConfig } from '../config.ts'
import { clearMesh } from '../down.ts'
import { Keeper } from '../keeper.ts'
import { fileSource } from '../source.ts'
import { SWITCH_SPEC } from '../switch.ts'

/** What is done. */
export interface Call {
  readonly does: 'up' | 'down'
  readonly list: string
  readonly ovsdb: string
  readonly folder: string
  /** The process kills itself before this call, counted from 0. */
  readonly killAt?: number
}

const call = JSON.parse(process.argv[2] ?? '') as Call
let calls = 0

using rtnl = counted(openRtnl(), 'request')
using client = counted(await connectOvsdb({ path: call.ovsdb }), 'transact')
const spawn = Bun.spawn
Reflect.set(Bun, 'spawn', (...args: Parameters<typeof Bun.spawn>) => {
  step()
  return spawn(...args)
})
if (call.does === 'down') await clearMesh({ rtnl, client, folder: call.folder })
else await up(rtnl, client)
console.log(calls)

async function up(rtnl: RtnlSocket, client: OvsdbClient): Promise<void> {
  const monitor = await client.monitor(SWITCH_SPEC)
  const source = fileSource(call.list)
  const keeper = new Keeper({
    rtnl,
    ovs: () => ({ client, monitor }),
    datapathType: 'netdev',
    guard: true,
    folder: call.folder,
    source: source.name,
    now: () => 0,
  })
  const config = decodeMeshConfig(await source.read(new AbortController().signal), source.name)
  for (;;) {
    const { isMade, problems } = await keeper.apply(config, { filters: true })
    keeper.note([])
    if (isMade && problems.length === 0) return
    await Bun.sleep(20)
  }
}

/** Counts a method's calls; of netlink also those that only ask, which does no harm. */
function counted<T extends object>(target: T, method: keyof T): T {
  return new Proxy(target, {
    get: (object, key) => {
      const value: unknown = Reflect.get(object, key, object)
      if (typeof value !== 'function') return value
      return (...args: readonly unknown[]) => {
        if (key === method) step()
        return value.apply(object, args)
      }
    },
  })
}

function step(): void {
  if (calls === call.killAt) process.kill(process.pid, 'SIGKILL')
  calls += 1
}
