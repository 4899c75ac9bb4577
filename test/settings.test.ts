/**
 * The table of settings and the options of the daemons' commands say the same.
 */
import { expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Command } from 'commander'
import { createProgram } from '../src/cli/program.ts'
import { configured, withSettings } from '../src/cli/settings.ts'
import type { Problem } from '../src/network/model/decode.ts'
import type { Program, Setting } from '../src/settings/setting.ts'
import { SETTINGS } from '../src/settings/table.ts'

const PROGRAMS: readonly Program[] = ['agent', 'controller']
/** Options that are no settings: they say which file has them, are for a single start, or a secret. */
const NOT_SETTINGS: ReadonlySet<string> = new Set(['config', 'etcd-password'])

test.each(PROGRAMS)('every option of weft %s is a setting, and the other way round', (program) => {
  const flags = optionsOf(program).map(({ long = '' }) => long.slice(2))
  const rows = settingsOf(program).flatMap(({ flag }) => flag ?? [])
  expect(flags.filter((flag) => !NOT_SETTINGS.has(flag)).sort()).toEqual(rows.toSorted())
})

test.each(PROGRAMS)('weft %s has the defaults of the table', (program) => {
  for (const { flag, default: value } of settingsOf(program)) {
    const option = optionsOf(program).find(({ long }) => long === `--${flag}`)
    // An option without a value is not given unless it is; one that says no takes back a yes.
    const unsaid = typeof value === 'boolean' ? option?.negate === true : undefined
    const otherwise: unknown = option?.defaultValue ?? unsaid
    expect([flag, flag === undefined ? value : otherwise]).toEqual([flag, value])
  }
})

test.each(PROGRAMS)('weft %s takes the numbers of the table: never one that has it work without a pause', (program) => {
  for (const { flag, type, unit } of settingsOf(program)) {
    const option = optionsOf(program).find(({ long }) => long === `--${flag}`)
    if (unit !== 'seconds' || option === undefined) continue
    for (const number of [0, 1, 4, 5, 86_400, 86_401]) {
      const problems: Problem[] = []
      type.decode(number, { path: '', problems })
      const parse = (): unknown => option.parseArg?.(String(number), undefined)
      if (problems.length > 0) expect(parse).toThrow('whole number')
      else expect(parse()).toBe(number)
    }
  }
})

test('an option wins over the file, and the file over the default', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-settings-'))
  const file = join(folder, 'weft.yaml')
  writeFileSync(file, 'agent: {resync: 7, addressRest: 8}\nlog: {level: debug}\n')
  let seen: unknown
  const command = withSettings(new Command())
    .option('--resync <seconds>', '', Number, 60)
    .option('--address-rest <seconds>', '', Number, 60)
    .option('--run-dir <path>', '', '/run/weft')
    .action(
      configured('agent', async (options, settings) => {
        seen = { options, level: settings['log.level'] }
      }),
    )
  try {
    await command.parseAsync(['--config', file, '--resync', '5'], { from: 'user' })
    expect(seen).toEqual({ options: { resync: 5, addressRest: 8, runDir: '/run/weft' }, level: 'debug' })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

function optionsOf(program: Program) {
  return createProgram().commands.find((command) => command.name() === program)?.options ?? []
}

function settingsOf(program: Program): readonly Setting[] {
  return Object.values<Setting>(SETTINGS).filter(({ programs }) => programs.includes(program))
}
