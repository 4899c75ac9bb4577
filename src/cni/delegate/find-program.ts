import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { cniError } from '../errors.ts'
import { isName } from '../formats.ts'

/**
 * The path of a plugin's program: the first regular file of that name that may be run, in the folders of CNI_PATH.
 * A relative folder is none: whose folder it would be depends on who looks. Throws `plugin-missing`.
 */
export async function findProgram(type: string, path: readonly string[]): Promise<string> {
  if (isName(type)) {
    for (const folder of path.filter(isAbsolute)) {
      const file = join(folder, type)
      if (await isProgram(file)) return file
    }
  }
  throw cniError('plugin-missing', { type, folders: path.join(':') })
}

async function isProgram(file: string): Promise<boolean> {
  try {
    if (!(await stat(file)).isFile()) return false
    await access(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}
