import type { Command } from 'commander'
import { playApi } from '../../../playground/api-client.ts'
import { addPods, deletePod } from '../../../playground/pods.ts'
import { addressesOf, findSandbox } from '../../../playground/state.ts'
import { type PodName, podName } from '../../numbers.ts'
import { type PlayOptions, runningPlayground, say, withRunDir } from './shared.ts'

/** `weft play pod`: pods come and go. */
export function registerPlayPod(play: Command): void {
  const pod = play.command('pod').description('add and delete pods')
  withRunDir(pod.command('add'))
    .description('run a pod on a node, with a server on TCP port 8080 that says whom it sees')
    .argument('<namespace/name>', 'the new pod', podName)
    .requiredOption('--node <node>', 'where it runs')
    .option('--json', 'print JSON')
    .action(add)
  withRunDir(pod.command('delete'))
    .description('detach and remove a pod')
    .argument('<namespace/name>', 'the pod', podName)
    .option('--json', 'print JSON')
    .action(remove)
}

async function add({ namespace, name }: PodName, options: PlayOptions & { readonly node: string }): Promise<void> {
  const { layout } = runningPlayground(options)
  const { node } = options
  const api = playApi(layout)
  await addPods(api, [{ namespace, name, node }]).finally(() => api.close())
  const sandbox = findSandbox(layout, namespace, name)
  const addresses = sandbox === undefined ? [] : addressesOf(sandbox)
  const facts = { pod: `${namespace}/${name}`, node, addresses, netns: sandbox?.netns }
  say(options.json === true ? JSON.stringify(facts) : `${facts.pod} on ${node}: ${addresses.join(' ')}`)
}

async function remove({ namespace, name }: PodName, options: PlayOptions): Promise<void> {
  const { layout } = runningPlayground(options)
  const api = playApi(layout)
  await deletePod(api, namespace, name).finally(() => api.close())
  const pod = `${namespace}/${name}`
  say(options.json === true ? JSON.stringify({ pod, deleted: true }) : `${pod} is gone.`)
}
