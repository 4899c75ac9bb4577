/**
 * How the kubelet's companions are started: from the executable by name, from the source tree by file, which spares a
 * container the time to read the whole program.
 * @module
 */
import { dirname, join } from 'node:path'
import { selfCommand } from '../self.ts'

const COMPILED = Bun.main.startsWith('/$bunfs')
const ENTRIES = { serve: 'server/server.ts', supervise: 'container/supervisor.ts' } as const

/** The command of a companion. */
export function companion(name: keyof typeof ENTRIES, ...args: readonly string[]): readonly string[] {
  if (COMPILED) return selfCommand('play', name, ...args)
  return [process.execPath, join(import.meta.dir, ENTRIES[name]), ...args]
}

/** The folder that a companion needs to see. */
export function companionRoot(): string {
  return COMPILED ? dirname(process.execPath) : join(import.meta.dir, '../../..')
}
