import type { Command } from 'commander'
import { type ActionOutcome, listTenants, requestTenant, type TenantAction } from '../../playground/tenants.ts'
import { painter, wantsColours } from '../../playground/text.ts'
import { REGISTRY_HELP, registryFor } from '../address.ts'
import { EXIT } from '../exit-codes.ts'
import { objectName } from '../numbers.ts'
import { columns } from '../table.ts'

interface Options {
  readonly registry?: string
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
  withOptions(tenant.command('list').description('list namespaces with their VNI')).action(list)
  withOptions(
    tenant
      .command('join')
      .description('let a namespace share the virtual network of another')
      .argument('<namespace>', 'who joins', objectName)
      .requiredOption('--to <namespace>', 'whom it joins', objectName),
  ).action((namespace: string, options: Options) =>
    change(namespace, { action: 'join', target: options.to ?? '' }, options),
  )
  for (const [action, description] of SIMPLE) {
    withOptions(tenant.command(action).description(description).argument('<namespace>', 'whom', objectName)).action(
      (namespace: string, options: Options) => change(namespace, { action }, options),
    )
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
  weft tenant isolate bank`

function withOptions(command: Command): Command {
  return command.option('--registry <address>', REGISTRY_HELP).option('--json', 'print JSON')
}

async function list({ registry, json }: Options): Promise<void> {
  const tenants = await listTenants(registryFor(registry))
  if (json === true) {
    process.stdout.write(`${JSON.stringify(tenants)}\n`)
    return
  }
  const paint = painter(wantsColours(process.stdout))
  const rows = tenants.map(({ namespace, vni, shared }) => [
    namespace,
    String(vni),
    vni === 0 ? 'all' : shared.join(', ') || paint.dim('nobody else'),
  ])
  process.stdout.write(`${columns([['NAMESPACE', 'VNI', 'TALKS TO'], ...rows])}\n`)
}

async function change(namespace: string, action: TenantAction, { registry, json }: Options): Promise<void> {
  const result = await requestTenant(registryFor(registry), namespace, action)
  process.stdout.write(json === true ? `${JSON.stringify(result)}\n` : `${inWords(result)}\n`)
  process.exitCode = result.accepted ? EXIT.ok : EXIT.failed
}

function inWords(result: ActionOutcome): string {
  if (!result.accepted) return `refused: ${result.message}: ${result.remedy}`
  const share = result.vni === 0 ? 'global' : `VNI ${result.vni}`
  const company = result.shared.length > 0 && result.vni !== 0 ? `, shared with ${result.shared.join(', ')}` : ''
  return `${result.namespace}: ${share}${company}`
}
