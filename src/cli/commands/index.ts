/**
 * Every command, in the order of the help page. One file per command; a new one is added here.
 * @module
 */
import type { Command } from 'commander'
import { registerAgent } from './agent.ts'
import { registerController } from './controller.ts'
import { registerPlay } from './play.ts'
import { registerRegistry } from './registry.ts'
import { registerTenant } from './tenant.ts'

/** Adds a command to the program. */
export type Register = (program: Command) => void

export const COMMANDS: readonly Register[] = [
  registerPlay,
  registerTenant,
  registerAgent,
  registerController,
  registerRegistry,
]
