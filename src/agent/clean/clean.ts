/**
 * Takes Weft off a node: everything that agents make there, recognised by what marks it as ours, and nothing else. It can
 * be run again and again, and be killed at any line.
 * @module
 */
import { claimSocket } from '../../registry/socket.ts'
import { AgentError } from '../errors.ts'
import { birdTraces } from './bird.ts'
import { fileTraces } from './files.ts'
import { kernelTraces } from './kernel.ts'
import { nicTraces } from './nics.ts'
import { switchTraces } from './switch.ts'

/** Where a node's agent leaves things. */
export interface CleanPlaces {
  readonly ovsdb: string
  readonly runDir: string
  readonly stateDir: string
  readonly cniBinDir: string
  readonly cniConfigDir: string
  /** The configuration's file, where it is called otherwise than usual. */
  readonly cniConfigName?: string
}

/** Something of ours that is there. */
export interface Trace {
  /** For people: `bridge br-weft with 12 ports`. */
  readonly what: string
  readonly remove: () => void | Promise<void>
}

/** Something that was found, and what became of it. */
export interface Cleaned {
  readonly what: string
  /** Why it is still there. */
  readonly problem?: string
}

/**
 * Removes every trace, or only tells of them. What cannot be removed does not keep the rest from it. Throws
 * AGENT_RUNNING where an agent works that would make everything anew.
 */
export async function cleanNode(places: CleanPlaces, isDryRun: boolean): Promise<readonly Cleaned[]> {
  await refuseBesideAgent(places.runDir)
  const done: Cleaned[] = []
  for (const [where, part] of PARTS) {
    try {
      for (const trace of await part(places)) done.push(await cleaned(trace, isDryRun))
    } catch (error) {
      done.push({ what: `what is in ${where}`, problem: textOf(error) })
    }
  }
  return done
}

/** No new pods first, then ports before their links, and files at the end: what is left shows that something is. */
const PARTS: readonly (readonly [where: string, part: Part])[] = [
  ['the folder of configurations', (places) => fileTraces(places, 'configuration')],
  ["Open vSwitch's database", switchTraces],
  ['the folder of BIRD', birdTraces],
  ['the notes of NICs', nicTraces],
  ['the kernel', kernelTraces],
  ['folders', (places) => fileTraces(places, 'rest')],
]

type Part = (places: CleanPlaces) => readonly Trace[] | Promise<readonly Trace[]>

async function cleaned({ what, remove }: Trace, isDryRun: boolean): Promise<Cleaned> {
  try {
    if (!isDryRun) await remove()
    return { what }
  } catch (error) {
    return { what, problem: textOf(error) }
  }
}

async function refuseBesideAgent(runDir: string): Promise<void> {
  try {
    await claimSocket(`${runDir}/agent.sock`)
  } catch (cause) {
    throw new AgentError('AGENT_RUNNING', `an agent is running (${runDir}/agent.sock answers)`, 'stop it first', {
      cause,
    })
  }
}

function textOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  return 'remedy' in error ? `${error.message} → ${error.remedy}` : error.message
}
