/**
 * Packets that the agent answers, for the switch cannot: it gets their beginning and what is to be said about them.
 * @module
 */
import type { Action } from '../../flow/flow.ts'

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
