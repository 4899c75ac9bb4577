/**
 * The rig's programs: started with a log of their own, found again by their role, waited for with patience that ends.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Layout } from '../../src/playground/layout.ts'
import { isAlive, startProcess, until } from '../../src/playground/processes.ts'

const TAIL = 15

/** A program to start. */
export interface Program {
  readonly role: string
  /** What goes before it: the way into its namespaces. */
  readonly way: readonly string[]
  readonly argv: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Starts a program and waits until it is up. Throws with the end of its log when it ends, or is not up in time. */
export async function startUp(
  layout: Layout,
  { role, way, argv, env = {} }: Program,
  isUp: () => boolean | Promise<boolean>,
  milliseconds: number,
): Promise<number> {
  const pid = startProcess(layout, { role, argv: [...way, ...argv], env })
  const up = await until(async () => !isAlive(pid) || (await isUp()), milliseconds)
  if (up && isAlive(pid)) return pid
  const why = isAlive(pid) ? `is not up after ${milliseconds / 1000} s` : 'has ended'
  throw new Error(`${role} ${why}. ${logOf(layout, role)}:\n${tailOf(layout, role)}`)
}

/** The log of a role. */
export function logOf({ logDir }: Layout, role: string): string {
  return join(logDir, `${role}.log`)
}

/** The last lines of a role's log. */
export function tailOf(layout: Layout, role: string): string {
  try {
    return readFileSync(logOf(layout, role), 'utf8').trimEnd().split('\n').slice(-TAIL).join('\n')
  } catch {
    return '(it has no log)'
  }
}

/** Waits until something holds, and says every ten seconds that it still waits. Throws with what `explain` finds. */
export async function waitFor(
  what: string,
  holds: () => boolean | Promise<boolean>,
  {
    milliseconds = 120_000,
    explain = async () => '',
  }: { readonly milliseconds?: number; readonly explain?: () => Promise<string> } = {},
): Promise<void> {
  const start = performance.now()
  const seconds = (): number => Math.round((performance.now() - start) / 1000)
  const clock = setInterval(() => console.log(`  … ${what} (${seconds()} s)`), 10_000)
  try {
    while (!(await holds())) {
      if (performance.now() - start > milliseconds)
        throw new Error(`waited ${seconds()} s in vain: ${what}\n${await explain()}`)
      await Bun.sleep(250)
    }
  } finally {
    clearInterval(clock)
  }
}
