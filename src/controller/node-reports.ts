/**
 * Copies what agents say of themselves into the nodes' networks: agents may not write these.
 * @module
 */
import { NODE_REPORTS, nodeReportIn } from '../compat/weft/node-report.ts'
import { decideReport } from '../compat/weft/node-report-decision.ts'
import type { KubeApi } from '../kube/api.ts'
import { WorkQueue } from '../kube/queue.ts'
import { reflectResource } from '../kube/reflector.ts'
import type { Reflection } from '../registry/reflector.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import type { ControllerLog } from './controller.ts'
import { textOf } from './events.ts'

/** What reports are copied with. */
export interface NodeReportOptions {
  readonly api: KubeApi
  readonly registry: Registry
  readonly networks: Reflection<'NodeNetwork'>
  readonly signal: AbortSignal
  readonly log: ControllerLog
}

/** Copies reports until `signal` aborts. Does not reject for anything that the API does. */
export async function runNodeReports({ api, registry, networks, signal, log }: NodeReportOptions): Promise<void> {
  const told = new Map<string, string>()
  const tell = (about: string, text: string): void => {
    if (told.get(about) !== text) log.warn({}, text)
    told.set(about, text)
  }
  const queue = new WorkQueue({
    signal,
    work: async (name) => {
      const network = networks.store.get(name)
      const object = reports.store.get(name)?.value
      const report = object === undefined ? undefined : nodeReportIn(object)
      if (network === undefined || report === undefined) {
        told.delete(name)
        return undefined
      }
      const decision = decideReport(network.value, report)
      if (decision.is === 'refused') tell(name, `the report of node ${name} is not believed: ${decision.why}`)
      else told.delete(name)
      if (decision.is === 'news') {
        // What somebody else wrote meanwhile is told by the watch, and decided about then.
        await registry.update('NodeNetwork', name, decision.value, network.revision).catch(unlessOvertaken)
      }
      return undefined
    },
    onError: (name, error) => tell(name, `cannot copy the report of node ${name}: ${textOf(error)}`),
  })
  const onChange = ({ object }: { readonly object: { readonly name: string } }): void => queue.add(object.name)
  const reports = reflectResource(
    api,
    NODE_REPORTS,
    {},
    { signal, onChange, onError: (error) => tell('NodeReport', `cannot watch NodeReport: ${textOf(error)}`) },
  )
  networks.listen(onChange)
  await Promise.all([reports.done, queue.done])
}

const OVERTAKEN: ReadonlySet<string> = new Set(['REGISTRY_CONFLICT', 'REGISTRY_NOT_FOUND'])

function unlessOvertaken(error: unknown): void {
  if (!(error instanceof RegistryError) || !OVERTAKEN.has(error.code)) throw error
}
