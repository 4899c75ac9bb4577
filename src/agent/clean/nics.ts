/**
 * NICs of the node that are in pods, by the notes of them: without an agent nobody else would bring them home.
 * @module
 */
import { openRtnl } from '../../linux/index.ts'
import { homeHere } from '../plugins/nics/index.ts'
import { bringHome, type NicHome } from '../plugins/nics/move.ts'
import { NicNotes } from '../plugins/nics/notes.ts'
import type { Trace } from './clean.ts'

/** NICs that are away, and notes of such that cannot be read: those stay. `home` is where they are brought; absent: here. */
export function nicTraces({ stateDir }: { readonly stateDir: string }, home?: NicHome): readonly Trace[] {
  const unreadable: Trace[] = []
  const notes = new NicNotes(stateDir, (file, error) => {
    const remove = (): void => {
      const reason = error instanceof Error ? error.message : String(error)
      throw new Error(`it cannot be read: ${reason}; see which NIC is missing, then remove the file`)
    }
    unreadable.push({ what: `note ${file} of a NIC in a pod`, remove })
  })
  const away = notes.values().map((note) => ({
    what: `NIC ${note.nic.name} in the pod of container ${note.containerId}, as its ${note.ifname}`,
    remove: async () => {
      if (home !== undefined) await bringHome(home, note, undefined)
      else {
        using rtnl = openRtnl()
        await bringHome(homeHere(rtnl), note, undefined)
      }
      notes.remove(note)
    },
  }))
  return [...away, ...unreadable]
}
