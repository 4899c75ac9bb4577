/**
 * A virtual machine with a stock Debian kernel: every module that this machine's own kernel may lack. Its root file system is
 * this machine's, read-only, with a layer in memory above it. Emulated, so everything takes ten times as long.
 *
 * Needs the packages `qemu-system-x86`, `busybox-static` and `cpio`, and Debian's archive for the kernel's package.
 * @module
 */
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { output } from '../lab/command.ts'

/** Where the unpacked kernel is kept between runs. */
const CACHE = join(tmpdir(), 'weft-guest-kernel')
const VIRTIOFSD = '/usr/lib/qemu/virtiofsd'
/** Loaded in this order: each needs those before it. */
const BOOT_MODULES = [
  'virtio_ring',
  'virtio',
  'virtio_pci_legacy_dev',
  'virtio_pci_modern_dev',
  'virtio_pci',
  'fuse',
  'virtiofs',
  'overlay',
] as const
const MEMORY = '2048M'
const DONE = 'weft-guest-done:'

/** What a guest did. */
export interface GuestOutcome {
  readonly code: number
  /** Everything that it printed. */
  readonly text: string
}

/** Why no guest can be run here; undefined when one can. */
export function whyNoGuest(): string | undefined {
  const missing = ['/usr/bin/qemu-system-x86_64', VIRTIOFSD, '/usr/bin/busybox', '/usr/bin/cpio'].filter(
    (path) => !existsSync(path) && !existsSync(path.replace('/usr', '')),
  )
  return missing.length === 0 ? undefined : `${missing.join(', ')} missing: install qemu-system-x86 busybox-static cpio`
}

/** How a guest is run. */
export interface GuestOptions {
  /** It is ended after this long. */
  readonly seconds?: number
  readonly onLine?: (line: string) => void
  /** Network cards, all of one wire. */
  readonly nics?: number
  /** A card more, with the MAC address {@link HOST_CARD.mac}, by which the guest reaches this machine's loopback. */
  readonly reachesHost?: boolean
  /** Cards more, each with a tap here that QEMU makes, which may be taken to another namespace. */
  readonly taps?: readonly Tap[]
}

/** A card, and its end on this machine. */
export interface Tap {
  readonly ifname: string
  readonly mac: string
}

/** The card by which a guest reaches this machine's loopback: what it sends to `host` arrives there. */
export const HOST_CARD = { mac: '52:54:00:00:01:00', own: '10.0.2.15/24', host: '10.0.2.2' } as const

/** Runs a shell script as root in a guest; resolves when it has ended. `modules` are loaded before. */
export async function runInGuest(
  script: string,
  modules: readonly string[],
  { seconds = 300, onLine = () => undefined, nics = 0, reachesHost = false, taps = [] }: GuestOptions = {},
): Promise<GuestOutcome> {
  const kernel = await unpackedKernel()
  const dir = await mkdtemp(join(tmpdir(), 'weft-guest-'))
  const socket = join(dir, 'fs.sock')
  const initramfs = await makeInitramfs(dir, kernel, init(script, kernel, modules))
  const files = Bun.spawn(
    [VIRTIOFSD, `--socket-path=${socket}`, '-o', 'source=/', '-o', 'cache=auto', '-o', 'sandbox=chroot'],
    { stdout: 'ignore', stderr: 'ignore' },
  )
  try {
    for (let i = 0; i < 100 && !existsSync(socket); i += 1) await Bun.sleep(50)
    const wires = [...cards(nics), ...hostCard(reachesHost), ...taps.flatMap(tapCard)]
    const guest = Bun.spawn([...qemu(kernel, initramfs, socket), ...wires], {
      stdin: 'ignore',
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const timer = setTimeout(() => guest.kill('SIGKILL'), seconds * 1000)
    const text = await linesOf(guest.stdout, onLine)
    await guest.exited
    clearTimeout(timer)
    const code = new RegExp(`^${DONE}(\\d+)`, 'm').exec(text)?.[1]
    return { code: code === undefined ? -1 : Number(code), text }
  } finally {
    files.kill('SIGKILL')
    await files.exited
    rmSync(dir, { recursive: true, force: true })
  }
}

interface Kernel {
  readonly image: string
  readonly root: string
  readonly release: string
}

/** Debian's cloud kernel, unpacked and not installed. */
async function unpackedKernel(): Promise<Kernel> {
  const root = join(CACHE, 'root')
  if (!existsSync(join(root, 'complete'))) {
    rmSync(CACHE, { recursive: true, force: true })
    mkdirSync(root, { recursive: true })
    const depends = await output(['apt-cache', 'depends', 'linux-image-cloud-amd64'])
    const name = /Depends: (linux-image-\S+)/.exec(depends)?.[1]
    if (name === undefined) throw new Error('apt knows no linux-image-cloud-amd64: apt-get update')
    await output(['sh', '-c', `cd ${CACHE} && apt-get download ${name}`])
    const deb = readdirSync(CACHE).find((file) => file.endsWith('.deb')) ?? ''
    await output(['dpkg', '-x', join(CACHE, deb), root])
    await output(['depmod', '-b', root, releaseIn(root)])
    writeFileSync(join(root, 'complete'), '')
  }
  const release = releaseIn(root)
  return { image: join(root, 'boot', `vmlinuz-${release}`), root, release }
}

function releaseIn(root: string): string {
  const [release] = readdirSync(join(root, 'lib/modules'))
  if (release === undefined) throw new Error(`no kernel in ${root}`)
  return release
}

/** Just enough to find the real root: busybox, and the modules that lead there. */
async function makeInitramfs(dir: string, kernel: Kernel, program: string): Promise<string> {
  const tree = join(dir, 'initramfs')
  for (const folder of ['bin', 'dev', 'proc', 'sys', 'mnt/low', 'mnt/up', 'mnt/root']) {
    mkdirSync(join(tree, folder), { recursive: true })
  }
  const busybox = existsSync('/usr/bin/busybox') ? '/usr/bin/busybox' : '/bin/busybox'
  await output(['cp', busybox, join(tree, 'bin/busybox')])
  const folder = join(kernel.root, 'lib/modules', kernel.release)
  for (const name of BOOT_MODULES) {
    const found = (await output(['find', folder, '-name', `${name}.ko`])).trim()
    if (found !== '') await output(['cp', found, join(tree, `${name}.ko`)])
  }
  writeFileSync(join(tree, 'init'), program, { mode: 0o755 })
  const archive = join(dir, 'initramfs.cpio')
  await output(['sh', '-c', `cd ${tree} && find . | cpio --quiet -o -H newc > ${archive}`])
  return archive
}

function init(script: string, { root, release }: Kernel, modules: readonly string[]): string {
  return `#!/bin/busybox sh
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t devtmpfs dev /dev
for name in ${BOOT_MODULES.join(' ')}; do [ -e /$name.ko ] && /bin/busybox insmod /$name.ko; done
/bin/busybox mount -t virtiofs -o ro rootfs /mnt/low || echo 'no root file system'
/bin/busybox mount -t tmpfs tmpfs /mnt/up
/bin/busybox mkdir -p /mnt/up/up /mnt/up/work
/bin/busybox mount -t overlay -o lowerdir=/mnt/low,upperdir=/mnt/up/up,workdir=/mnt/up/work overlay /mnt/root
/bin/busybox mkdir -p /mnt/root/lib/modules/${release}
/bin/busybox mount -o bind /mnt/low${root}/lib/modules/${release} /mnt/root/lib/modules/${release}
/bin/busybox cat > /mnt/root/guest.sh <<'END_OF_SCRIPT'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LANG=C.UTF-8
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /dev/shm 2>/dev/null || { mkdir -p /dev/shm; mount -t tmpfs tmpfs /dev/shm; }
mkdir -p /run/netns /run/lock
ip link set lo up
for name in ${modules.join(' ')}; do modprobe $name || echo "no module $name"; done
(
${script}
)
echo "${DONE}$?"
sync
echo o > /proc/sysrq-trigger
sleep 60
END_OF_SCRIPT
for place in proc sys dev; do /bin/busybox mount -o move /$place /mnt/root/$place; done
exec /bin/busybox switch_root /mnt/root /bin/sh /guest.sh
`
}

function qemu(kernel: Kernel, initramfs: string, socket: string): string[] {
  return [
    'qemu-system-x86_64',
    ...['-accel', 'tcg,thread=multi', '-cpu', 'max', '-smp', '2', '-m', MEMORY],
    ...['-nographic', '-no-reboot', '-nodefaults', '-serial', 'stdio'],
    ...['-object', `memory-backend-memfd,id=mem,size=${MEMORY},share=on`, '-numa', 'node,memdev=mem'],
    ...['-chardev', `socket,id=fs,path=${socket}`, '-device', 'vhost-user-fs-pci,chardev=fs,tag=rootfs'],
    ...['-kernel', kernel.image, '-initrd', initramfs],
    ...['-append', 'console=ttyS0 quiet panic=-1 rdinit=/init'],
  ]
}

function cards(count: number): string[] {
  return Array.from({ length: count }, (_, i) => [
    ...['-netdev', `hubport,id=wire${i},hubid=0`],
    ...['-device', `virtio-net-pci,netdev=wire${i},mac=52:54:00:00:00:0${i},romfile=`],
  ]).flat()
}

function hostCard(isWanted: boolean): readonly string[] {
  if (!isWanted) return []
  return ['-netdev', 'user,id=host', '-device', `virtio-net-pci,netdev=host,mac=${HOST_CARD.mac},romfile=`]
}

/** Nothing is left to a card's hardware, which is not there: packets are finished. */
function tapCard({ ifname, mac }: Tap): readonly string[] {
  const tap = `tap,id=${ifname},ifname=${ifname},script=no,downscript=no,vnet_hdr=off`
  return ['-netdev', tap, '-device', `virtio-net-pci,netdev=${ifname},mac=${mac},romfile=`]
}

async function linesOf(stream: ReadableStream<Uint8Array>, onLine: (line: string) => void): Promise<string> {
  const decoder = new TextDecoder()
  let [text, rest] = ['', '']
  for await (const bytes of stream) {
    const piece = decoder.decode(bytes, { stream: true }).replaceAll('\r', '')
    text += piece
    const lines = (rest + piece).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) onLine(line)
  }
  return text
}
