/**
 * The notes of a node: one for each NIC in a pod, on the disk before the NIC is touched.
 * @module
 */
import { join } from 'node:path'
import { NoteFolder } from '../note-folder.ts'
import { type NicNote, printNote, readNote } from './note.ts'

/** The notes of a node. A NIC is forgotten when it is as it was, or not there any more. */
export class NicNotes extends NoteFolder<NicNote> {
  /** Reads what there is. A file that cannot be read stays, and is told of. */
  constructor(stateDir: string, unreadable?: (file: string, error: unknown) => void) {
    super(join(stateDir, 'nics'), { print: printNote, read: readNote }, unreadable)
  }
}
