import type { Command } from 'commander'
import { playApi, playRegistry } from '../../../playground/api-client.ts'
import { addPlayNamespace, deletePlayNamespace } from '../../../playground/play-namespaces.ts'
import { objectName } from '../../numbers.ts'
import { type PlayOptions, runningPlayground, say, withRunDir } from './shared.ts'

/** `weft play namespace`: Kubernetes namespaces, each a tenant, come and go. */
export function registerPlayNamespace(play: Command): void {
  const namespace = play.command('namespace').description('add and delete namespaces (tenants)')
  withRunDir(namespace.command('add'))
    .description('make a namespace and wait for its VNI')
    .argument('<name>', 'the new namespace', objectName)
    .option('--json', 'print JSON')
    .action(async (name: string, options: PlayOptions) => {
      const { layout } = runningPlayground(options)
      const api = playApi(layout)
      const { vni } = await addPlayNamespace(api, playRegistry(api), name).finally(() => api.close())
      say(options.json === true ? JSON.stringify({ namespace: name, vni }) : `${name}: VNI ${vni}`)
    })
  withRunDir(namespace.command('delete'))
    .description('delete a namespace with its pods')
    .argument('<name>', 'the namespace', objectName)
    .option('--json', 'print JSON')
    .action(async (name: string, options: PlayOptions) => {
      const { layout } = runningPlayground(options)
      const api = playApi(layout)
      const pods = await deletePlayNamespace(api, name).finally(() => api.close())
      say(
        options.json === true
          ? JSON.stringify({ namespace: name, pods })
          : `${name} is gone, with ${pods.length} pods.`,
      )
    })
}
