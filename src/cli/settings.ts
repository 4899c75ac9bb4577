/**
 * Daemons' settings from a file, beside the options of their commands.
 * @module
 */
import { type Command, Option } from 'commander'
import { loadSettings } from '../settings/load.ts'
import type { Program, Setting } from '../settings/setting.ts'
import { SETTINGS, type Settings } from '../settings/table.ts'

/** Adds the option that names the file. */
export function withSettings(command: Command): Command {
  return command.addOption(
    new Option('--config <file>', 'settings, as docs/settings.md has them; an option given here wins over the file'),
  )
}

/** The action of a command that reads settings: they stand in for options that were not given. */
export function configured<O extends object>(
  program: Program,
  run: (options: O, settings: Settings, file?: string) => Promise<void>,
): (options: object, command: Command) => Promise<void> {
  return async (_, command) => {
    const { config } = command.opts<{ readonly config?: string }>()
    const settings = config === undefined ? {} : loadSettings(config)
    for (const [key, { flag, programs }] of Object.entries<Setting>(SETTINGS)) {
      const value: unknown = Reflect.get(settings, key)
      if (value === undefined || flag === undefined || !programs.includes(program)) continue
      const option = command.options.find(({ long }) => long === `--${flag}`)?.attributeName()
      if (option !== undefined && !isGiven(command, option)) command.setOptionValueWithSource(option, value, 'config')
    }
    const { config: __, ...options } = command.opts<O & { readonly config?: string }>()
    await run(options as unknown as O, settings, config)
  }
}

function isGiven(command: Command, option: string): boolean {
  const source = command.getOptionValueSource(option)
  return source !== undefined && source !== 'default'
}
