import type { Command } from 'commander'
import { GLOBAL_VNI } from '../../network/model/tenant.ts'
import { table } from '../../text/table.ts'
import { openRegistry, type RegistryChoice, withSharedStateOptions } from '../address.ts'
import { outputLook } from '../look.ts'
import { objectName } from '../numbers.ts'
import { endSignal } from '../signals.ts'
import { listTenants, requestTenant, type TenantAction, type TenantView } from '../tenant-requests.ts'

interface Options extends RegistryChoice {
  readonly json?: boolean
  readonly to?: string
}

/** `weft tenant`: who may talk to whom. */
export function registerTenant(program: Command): void {
  const tenant = program
    .command('tenant')
    .summary('show and change which namespaces reach each other')
    .description(
      'Every namespace has a virtual network (VNI). Namespaces of the same VNI reach each other; VNI 0 is global: it ' +
        'reaches all and is reached by all. Changes are requests: the controller answers them, agents carry them out.',
    )
    .addHelpText('after', EXAMPLES)
  withSharedStateOptions(tenant.command('list').description('list namespaces with their VNI')).action(list)
  withSharedStateOptions(
    tenant
      .command('join')
      .description('let a namespace share the virtual network of another')
      .argument('<namespace>', 'who joins', objectName)
      .requiredOption('--to <namespace>', 'whom it joins', objectName),
  ).action((namespace: string, options: Options) =>
    change(namespace, { action: 'join', target: options.to ?? '' }, options),
  )
  for (const [action, description] of SIMPLE) {
    withSharedStateOptions(
      tenant.command(action).description(description).argument('<namespace>', 'whom', objectName),
    ).action((namespace: string, options: Options) => change(namespace, { action }, options))
  }
}

const SIMPLE = [
  ['isolate', 'give a namespace a virtual network of its own; connections to others are cut'],
  ['global', 'let a namespace reach all and be reached by all'],
] as const

const EXAMPLES = `
Examples:
  weft tenant list
  weft tenant join bank --to shop
  weft tenant isolate bank
  weft tenant global bank --kubeconfig ~/.kube/config`

async function list(options: Options): Promise<void> {
  const { registry, close } = openRegistry(options)
  const tenants = await listTenants(registry).finally(close)
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify(tenants)}\n`)
    return
  }
  const rows = tenants.map((tenant) => [tenant.namespace, String(tenant.vni), talksTo(tenant, tenants)])
  const columns = [{ head: 'NAMESPACE' }, { head: 'VNI', align: 'right' }, { head: 'TALKS TO' }] as const
  process.stdout.write(`${table(columns, rows, outputLook()).join('\n')}\n`)
}

/** Names that are told; more are counted. */
const MANY = 5

function talksTo({ vni, shared }: TenantView, tenants: readonly TenantView[]): string {
  if (vni === GLOBAL_VNI) return 'all'
  const everywhere = tenants.filter((one) => one.vni === GLOBAL_VNI).map(({ namespace }) => namespace)
  if (everywhere.length === 0) return shared.length === 0 ? 'nobody else' : namesOf(shared)
  if (shared.length === 0) return `the global ones only (${namesOf(everywhere)})`
  return `${namesOf(shared)}, and the global ones (${namesOf(everywhere)})`
}

function namesOf(names: readonly string[]): string {
  const more = names.length - MANY
  return names.slice(0, MANY).join(', ') + (more > 0 ? ` and ${more} more` : '')
}

async function change(namespace: string, action: TenantAction, options: Options): Promise<void> {
  const { registry, close } = openRegistry(options)
  const result = await requestTenant(registry, namespace, action, { signal: endSignal() }).finally(close)
  process.stdout.write(`${options.json === true ? JSON.stringify({ accepted: true, ...result }) : inWords(result)}\n`)
}

function inWords({ namespace, vni, shared }: TenantView): string {
  if (vni === GLOBAL_VNI) return `${namespace}: global`
  return `${namespace}: VNI ${vni}${shared.length > 0 ? `, shared with ${namesOf(shared)}` : ''}`
}
