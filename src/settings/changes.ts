/**
 * What becomes of a settings file that was edited while a program runs.
 * @module
 */
import type { Program, Setting } from './setting.ts'
import { SETTINGS, type SettingKey, type Settings } from './table.ts'

/** A setting whose value in the file is another. */
export interface SettingChange {
  readonly key: SettingKey
  /** Undefined: the default holds again. */
  readonly value: unknown
  readonly applied: Setting['applied']
}

/** What changed of the settings that a program reads, in the table's order. */
export function settingChanges(program: Program, before: Settings, after: Settings): readonly SettingChange[] {
  return Object.entries<Setting>(SETTINGS).flatMap(([name, { applied, programs }]) => {
    const key = name as SettingKey
    const same = JSON.stringify(before[key]) === JSON.stringify(after[key])
    return same || !programs.includes(program) ? [] : [{ key, value: after[key], applied }]
  })
}
