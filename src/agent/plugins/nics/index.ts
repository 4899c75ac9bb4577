import { readFileSync } from 'node:fs'
import { askPortFacts } from '../../../compat/neutron-nic/port-facts.ts'
import { netnsSelf, type RtnlSocket } from '../../../linux/index.ts'
import { NicNotes } from './notes.ts'
import { HostDevicePlugin, type NicParts } from './plugin.ts'

/** What the plugin for NICs needs of the agent. */
export interface NicStart extends Omit<NicParts, 'home' | 'notes' | 'portFacts'> {
  readonly rtnl: RtnlSocket
  readonly stateDir: string
  /** Hears of a note that cannot be read. */
  unreadable(file: string, error: unknown): void
}

/** The namespace that this thread is in, as the home of NICs. */
export function homeHere(rtnl: RtnlSocket): NicParts['home'] {
  // The descriptor is open as long as the program is there.
  return { rtnl, nsFd: netnsSelf(), sysfs: '/sys', boot: bootId() }
}

/** The plugin for NICs of the namespace that this thread is in. */
export function nicPlugin({ rtnl, stateDir, unreadable, ...parts }: NicStart): HostDevicePlugin {
  return new HostDevicePlugin({
    ...parts,
    home: homeHere(rtnl),
    notes: new NicNotes(stateDir, unreadable),
    portFacts: askPortFacts,
  })
}

function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
}
