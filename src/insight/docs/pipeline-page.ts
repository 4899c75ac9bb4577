/**
 * The pipeline's documentation page with flows of the sample node.
 * @module
 */
import { pipelineDocument } from '../../network/pipeline/document.ts'
import { flowLine, stageAt } from '../flow-words.ts'
import { pageSample } from './sample.ts'

/** `docs/pipeline.md`, as it should be. */
export function pipelinePage(): string {
  const flows = [...pageSample().flows()].sort((a, b) => a.table - b.table || b.priority - a.priority)
  const examples = flows.flatMap((flow) => {
    const stage = stageAt(flow.table)
    return stage === undefined ? [] : [{ stage, flow: flowLine(flow) }]
  })
  return `${pipelineDocument(examples).trimEnd()}\n`
}
