/**
 * Why a question about the network could not be answered.
 * @module
 */
import { CodedError } from '../text/coded-error.ts'

/** Codes of {@link InsightError}. Stable: they are API. */
export type InsightErrorCode =
  | 'INSIGHT_AGENT_NOT_RUNNING'
  | 'INSIGHT_AGENT_UNREACHABLE'
  | 'INSIGHT_AGENT_REFUSED'
  | 'INSIGHT_AGENT_ANSWER'
  | 'INSIGHT_REGISTRY_UNREACHABLE'
  | 'INSIGHT_NAME_UNKNOWN'
  | 'INSIGHT_NAME_AMBIGUOUS'
  | 'INSIGHT_NO_ADDRESS'
  | 'INSIGHT_NOT_TRACED'
  | 'INSIGHT_USAGE'

/** A question that could not be answered: `message` is the cause, `remedy` what to do. */
export class InsightError extends CodedError<InsightErrorCode> {
  override readonly name = 'InsightError'
}
