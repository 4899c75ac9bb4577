/**
 * Performs changes, one after the other.
 * @module
 */
import type { RtnlSocket } from '../../linux/index.ts'
import type { OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { BridgeError } from '../errors.ts'
import type { Change } from '../model.ts'
import { removePlanned, writePlanned } from './files.ts'
import { performKernel } from './kernel.ts'
import { performLink } from './links.ts'
import { performSwitch } from './switch.ts'

/** What changes are performed on. */
export interface Place {
  readonly rtnl: RtnlSocket
  readonly ovs: OvsdbClient
}

/** Performs one change; done twice, it does nothing the second time. */
export async function perform(place: Place, change: Change): Promise<void> {
  switch (change.do) {
    case 'bridge':
    case 'no-bridge':
    case 'ids':
    case 'port':
    case 'no-port':
      return performSwitch(place.ovs, change)
    case 'new-link':
    case 'no-link':
    case 'member':
    case 'no-member':
      return performLink(place.rtnl, change)
    case 'file':
      return writePlanned(change)
    case 'no-file':
      return removePlanned(change)
    case 'run':
      return runTool(change)
    default:
      return performKernel(place.rtnl, change)
  }
}

/** Ten seconds: a tool that waits for a daemon that does not answer must not outlast the guard. */
const TOOL_MS = 10_000

async function runTool({ argv, mayFail }: Extract<Change, { readonly do: 'run' }>): Promise<void> {
  const [program = ''] = argv
  if (Bun.which(program, { PATH }) === null) {
    if (mayFail) return
    throw new BridgeError('BRIDGE_PERSIST', `${program} is not installed`, `install it, or use another --persist`)
  }
  const child = Bun.spawn([...argv], {
    env: { PATH, LC_ALL: 'C' },
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: 'pipe',
    timeout: TOOL_MS,
  })
  const [said, code] = await Promise.all([child.stderr.text(), child.exited])
  if (code === 0 || mayFail) return
  const cause = `${argv.join(' ')} failed: ${said.trim().slice(0, 300) || `exit status ${code}`}`
  throw new BridgeError('BRIDGE_PERSIST', cause, 'correct what it names, or use --persist none')
}

const PATH = '/usr/sbin:/usr/bin:/sbin:/bin'
