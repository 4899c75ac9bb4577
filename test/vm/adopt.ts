/**
 * `weft adopt` on the kernel's datapath, in a virtual machine: `bun test/vm/adopt.ts`. It takes a quarter of an hour and needs
 * `qemu-system-x86`, `busybox-static` and `cpio`.
 * @module
 */
import { join } from 'node:path'
import { runInGuest, whyNoGuest } from './guest.ts'

const MODULES = ['openvswitch', 'vport-vxlan', 'veth', 'bridge', 'tun', 'nf_tables', 'nft_compat']

const reason = whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
const program = join(import.meta.dir, '../e2e/adopt.ts')
const plugin = process.argv.includes('openshift') ? 'openshift' : 'k8s-ovs'
// The source takes half a minute to start there; WEFT_E2E_PROGRAM may name an executable.
const weft = process.env['WEFT_E2E_PROGRAM'] ?? join(import.meta.dir, '../../dist/weft')
const script = `uname -r; WEFT_E2E_PROGRAM=${weft} WEFT_E2E_DATAPATH=system ${process.execPath} ${program} ${plugin}`
const { code } = await runInGuest(script, MODULES, { seconds: 1_800, onLine: (line) => console.log(line) })
process.exit(code)
