/**
 * Packets that the agent gets the beginning of: those that it answers, for the switch cannot, with what is to be said
 * about them; those whose drop somebody wants to read of; and answers to its probes.
 * @module
 */
import type { Action, Meter } from '../../flow/flow.ts'

/** What is to be said, as the packet's `userdata`. */
export const ANSWERS = { tooBig: '01', unreachable: '02' } as const

/** The kind of an answer. */
export type Answer = keyof typeof ANSWERS

/** The meters of answers: of each kind the agent gives at most a fixed number a second. */
export const ANSWER_METERS: { readonly [A in Answer]: number } = { tooBig: 1, unreachable: 2 }

/** Has the agent answer. */
export function tellAgent(answer: Answer): Action {
  return { op: 'controller', maxLength: 256, userdata: ANSWERS[answer], meter: ANSWER_METERS[answer] }
}

/** The kind of answer that a packet's `userdata` asks for, or undefined. */
export function answerOf(userdata: string): Answer | undefined {
  return (Object.keys(ANSWERS) as Answer[]).find((answer) => ANSWERS[answer] === userdata)
}

const LOGGED = { userdata: '03', meter: 3 }

/** Has the agent log the drop that the flow is. */
export const logDrop: Action = { op: 'controller', maxLength: 128, ...LOGGED }

/** Whether a packet's `userdata` asks for a line in the log. */
export function isLogged(userdata: string): boolean {
  return userdata === LOGGED.userdata
}

const PROBED = { userdata: '04', meter: 4 }

/** Gives the agent the beginning of an answer to a probe. */
export const tellProbe: Action = { op: 'controller', maxLength: 64, ...PROBED }

/** Whether a packet's `userdata` says that it answers a probe. */
export function isProbeAnswer(userdata: string): boolean {
  return userdata === PROBED.userdata
}

/** Every meter that actions here name, in packets a second of all pods together. */
export const AGENT_METERS: readonly Meter[] = [
  ...Object.values(ANSWER_METERS).map((id) => ({ id, unit: 'pktps', rate: 100 }) as const),
  { id: LOGGED.meter, unit: 'pktps', rate: 10 },
  { id: PROBED.meter, unit: 'pktps', rate: 200 },
]
