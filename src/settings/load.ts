/**
 * Reading a settings file.
 * @module
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { describeProblems } from '../network/model/decode.ts'
import { decodeSettings } from './decode.ts'
import { SettingsError } from './errors.ts'
import type { Settings } from './table.ts'

/** The settings in a file. Throws SETTINGS_UNREADABLE, or SETTINGS_INVALID with everything that is wrong. */
export function loadSettings(path: string): Settings {
  const decoded = decodeSettings(read(path))
  if (decoded.ok) return decoded.value
  throw new SettingsError(
    'SETTINGS_INVALID',
    `${path}: ${describeProblems(decoded.problems)}`,
    'correct the file; docs/settings.md has every setting',
  )
}

function read(path: string): string {
  let file: number | undefined
  try {
    // A pipe would be waited for until somebody writes into it.
    file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if (fstatSync(file).isFile()) return readFileSync(file, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException
    throw new SettingsError('SETTINGS_UNREADABLE', `${path} cannot be read (${code})`, 'check the path', { cause })
  } finally {
    if (file !== undefined) closeSync(file)
  }
  throw new SettingsError(
    'SETTINGS_UNREADABLE',
    `${path} is no regular file`,
    'put the settings into a file, and name that',
  )
}
