/**
 * Which programs a rig runs.
 * @module
 */
import { readFileSync } from 'node:fs'
import { output } from '../lab/command.ts'

/** One line for each program: its name and version. */
export async function versionsOf(assets: string): Promise<readonly string[]> {
  const asked: readonly (readonly [string, readonly string[]])[] = [
    ['etcd', [`${assets}/etcd`, '--version']],
    ['Kubernetes', [`${assets}/kubelet`, '--version']],
    ['containerd', ['containerd', '--version']],
    ['runc', ['runc', '--version']],
    ['Open vSwitch', ['ovs-vswitchd', '--version']],
  ]
  const said = asked.map(async ([name, argv]) => `${name.padEnd(13)}${firstVersion(await output(argv))}`)
  return [
    ...(await Promise.all(said)),
    `${'Linux'.padEnd(13)}${readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim()}`,
  ]
}

function firstVersion(text: string): string {
  return /v?\d+\.\d+[^\s,]*/.exec(text)?.[0] ?? 'unknown'
}
