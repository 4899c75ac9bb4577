/**
 * Where Weft's files are on a machine, the same in the image and in the packages.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ROOT } from './run.mjs'

/** The names that the CNI plugin is called by: `type` in a network's configuration. */
export const PLUGIN_NAMES = [
  'weft',
  'k8s-ovs',
  'ovs',
  'spiderpool',
  'coordinator',
  'ifacer',
  'neutron',
  'ipam-neutron',
  'cni-ipam-neutron',
  'unnumbered-ptp',
  'ipvlan-ptp',
  'macvlan-ptp',
]
/** Where the plugin waits to be copied to where runtimes look. Not in PATH: a program has the same name. */
export const PLUGIN_FOLDER = 'usr/lib/weft/cni'

/**
 * The executable with the addon beside it, its names, and the CNI plugin under each of its own.
 * @returns {import('./tar.mjs').Entry[]}
 */
export function programs() {
  return [
    built('usr/lib/weft/weft', 'weft', 0o755),
    built('usr/lib/weft/weft_sys.node', 'weft_sys.node', 0o644),
    { path: 'usr/bin/weft', type: 'symlink', target: '../lib/weft/weft' },
    { path: 'usr/sbin/k8s-ovs', type: 'symlink', target: '../lib/weft/weft' },
    { path: 'usr/bin/flanneld', type: 'symlink', target: '../lib/weft/weft' },
    { path: 'usr/bin/flanneld-start', type: 'symlink', target: '../lib/weft/weft' },
    { path: 'usr/libexec/flannel/mk-docker-opts.sh', type: 'symlink', target: '../../lib/weft/weft' },
    ...PLUGIN_NAMES.map((name) => built(`${PLUGIN_FOLDER}/${name}`, 'weft-cni', 0o755)),
    shipped('usr/share/doc/weft/copyright', 'LICENSE'),
  ]
}

/**
 * A file of the source tree, to be read by everybody.
 * @returns {import('./tar.mjs').Entry}
 */
export function shipped(path, source, mode = 0o644) {
  return { path, type: 'file', mode, content: readFileSync(join(ROOT, source)) }
}

function built(path, name, mode) {
  return shipped(path, join('dist', name), mode)
}
