import type { BundleMessage } from './bundle.ts'
import type { FlowMod } from './flow-mod.ts'

/** A few words that let a person find a message again. */
export function describeMessage(message: BundleMessage): string {
  if (message.kind === 'flow') return describeFlowMod(message.mod)
  if (message.kind === 'packet') return 'packet_out'
  const { mod } = message
  return `${mod.op} group ${mod.op === 'delete' ? (mod.id ?? 'all') : mod.group.id}`
}

function describeFlowMod(mod: FlowMod): string {
  if (mod.op === 'delete') return 'delete flows'
  const { table, priority, match } = mod.flow
  const fields = Object.entries(match).map(([name, value]) =>
    typeof value === 'object' ? `${name}=${value.value}/${value.mask}` : `${name}=${value}`,
  )
  return `${mod.op} table=${table},priority=${priority}${fields.map((field) => `,${field}`).join('')}`
}
