/**
 * A machine of a test's own: this one's file system with a layer above it that is thrown away, namespaces of every kind,
 * and systemd as its first process. What is installed in it is installed nowhere else.
 * @module
 */
import { type ChildProcess, spawn } from 'node:child_process'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { output as must, type Outcome, run } from '../lab/command.ts'

export const INIT = '/lib/systemd/systemd'
const PATIENCE_MS = 60_000

/** Why there can be no such machine here; undefined where there can. */
export function whyNoMachine(): string | undefined {
  if (process.getuid?.() !== 0) return 'root'
  if (!existsSync(INIT)) return 'apt-get install systemd'
  return readFileSync('/proc/filesystems', 'utf8').includes('\toverlay\n') ? undefined : 'a kernel with overlayfs'
}

/** A running machine. */
export class Machine implements AsyncDisposable {
  readonly #folder: string
  readonly #cgroup: string
  readonly #starter: ChildProcess
  readonly #init: number

  private constructor(folder: string, cgroup: string, starter: ChildProcess, init: number) {
    this.#folder = folder
    this.#cgroup = cgroup
    this.#starter = starter
    this.#init = init
  }

  /** Starts one; resolves when its first process has started what it starts by itself, which is little. */
  static async boot(): Promise<Machine> {
    const folder = mkdtempSync(join(tmpdir(), 'wefttest-machine-'))
    const cgroup = join(cgroupRoot(), basename(folder))
    mkdirSync(cgroup)
    const script = join(folder, 'boot.sh')
    writeFileSync(script, BOOT)
    const enter = 'echo $$ > "$1/cgroup.procs"; shift; exec "$@"'
    const unshare = ['unshare', '-m', '-p', '-n', '-u', '-i', '-C', '-f', '--kill-child', 'sh', script, folder]
    const starter = spawn('sh', ['-c', enter, 'sh', cgroup, ...unshare], { stdio: ['ignore', 'inherit', 'inherit'] })
    const init = await eventually('the machine has a first process', () => childOf(starter.pid ?? 0))
    const machine = new Machine(folder, cgroup, starter, init)
    await eventually('systemd is up', async () => {
      const { stdout } = await machine.run('systemctl', 'is-system-running')
      return /^(running|degraded)/.test(stdout) || undefined
    })
    return machine
  }

  /** A file of the machine as seen from outside. */
  path(path: string): string {
    return join('/proc', String(this.#init), 'root', path)
  }

  /** Runs a program in it. */
  run(...argv: readonly string[]): Promise<Outcome> {
    return this.runWith({}, ...argv)
  }

  /** The same with variables and standard input. */
  runWith(
    { env = {}, input = '' }: { readonly env?: Readonly<Record<string, string>>; readonly input?: string },
    ...argv: readonly string[]
  ): Promise<Outcome> {
    const enter = ['nsenter', '-t', String(this.#init), '-m', '-p', '-n', '-u', '-i', '-C', '-r', '-w']
    const given = Object.entries({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C', ...env })
    return run([...enter, 'env', '-i', ...given.map(([name, value]) => `${name}=${value}`), ...argv], { input })
  }

  /** What a program prints. Throws when it fails. */
  async output(...argv: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await this.run(...argv)
    if (code === 0) return stdout
    throw new Error(`${argv.join(' ')} failed with ${code}: ${(stderr || stdout).trim()}`)
  }

  /** Lays a wire to another machine: its link `uplink` at either end. */
  async connect(other: Machine): Promise<void> {
    const far = ['peer', 'uplink', 'netns', String(other.#init)]
    const inside = ['nsenter', '-t', String(this.#init), '-n']
    await must([...inside, 'ip', 'link', 'add', 'uplink', 'type', 'veth', ...far])
  }

  /** A property of a unit, as `systemctl show` prints it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.output('systemctl', 'show', '--property', name, '--value', unit)).trim()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const gone = new Promise((resolve) => this.#starter.once('exit', resolve))
    // Its first process takes all others with it, and its mounts with its namespace.
    process.kill(this.#init, 'SIGKILL')
    if (this.#starter.exitCode === null) await gone
    await eventually('its cgroups are empty', () => removeCgroups(this.#cgroup))
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

/** The first value that is not undefined. Throws after a minute. */
export async function eventually<T>(what: string, look: () => T | Promise<T>): Promise<NonNullable<T>> {
  const end = performance.now() + PATIENCE_MS
  while (performance.now() < end) {
    const found = await look()
    if (found !== undefined && found !== null) return found
    await Bun.sleep(100)
  }
  throw new Error(`waited in vain: ${what}`)
}

function childOf(pid: number): number | undefined {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
  return text === '' ? undefined : Number(text.split(' ')[0])
}

/** systemd's hierarchy of the first version, or the only one of the second. */
function cgroupRoot(): string {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') ? '/sys/fs/cgroup' : '/sys/fs/cgroup/systemd'
}

function removeCgroups(folder: string): true | undefined {
  try {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      if (entry.isDirectory()) removeCgroups(join(folder, entry.name))
    }
    rmdirSync(folder)
    return true
  } catch {
    return undefined
  }
}

/** Of the units that this machine starts only the basic ones are started there; nothing that looks for hardware. */
const BOOT = `set -e
mount --make-rprivate /
mkdir "$1/layer" "$1/root"
mount -t tmpfs tmpfs "$1/layer"
mkdir "$1/layer/upper" "$1/layer/work"
mount -t overlay overlay -o "lowerdir=/,upperdir=$1/layer/upper,workdir=$1/layer/work" "$1/root"
cd "$1/root"
mount -t proc proc proc
mount -t sysfs sysfs sys
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
  mount -t cgroup2 cgroup2 sys/fs/cgroup
else
  mount -t tmpfs tmpfs sys/fs/cgroup
  mkdir sys/fs/cgroup/systemd
  mount -t cgroup -o none,name=systemd cgroup sys/fs/cgroup/systemd
fi
for folder in run tmp dev; do mount -t tmpfs tmpfs "$folder"; done
mkdir dev/pts dev/shm dev/net
for device in null zero full random urandom tty net/tun; do
  [ -e "/dev/$device" ] || continue
  touch "dev/$device"
  mount --bind "/dev/$device" "dev/$device"
done
mount -t devpts devpts dev/pts -o newinstance,ptmxmode=0666
ln -s pts/ptmx dev/ptmx
rm -rf etc/systemd/system/*.wants
for unit in systemd-udevd systemd-modules-load systemd-networkd networking; do
  ln -sf /dev/null "etc/systemd/system/$unit.service"
done
: > etc/fstab
# What was installed here by other means is no part of the machine.
rm -rf opt/cni etc/cni etc/weft var/lib/weft
exec chroot . /usr/bin/env -i container=weft PATH=/usr/sbin:/usr/bin ${INIT} --system --unit=basic.target --show-status=no --log-level=warning
`
