/**
 * Which Debian packages a purpose needs, and what to do about missing ones.
 */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/** Package to a file that shows it is there on a machine whose packages have other names. */
const WITNESS = {
  'openvswitch-switch': 'ovs-vswitchd',
  bird2: 'bird',
  nftables: 'nft',
  iptables: 'iptables-nft',
  iproute2: 'ip',
  'iputils-ping': 'ping',
  openssl: 'openssl',
  'util-linux': 'setpriv',
  hostname: 'hostname',
  gcc: 'cc',
  'libc6-dev': '/usr/include/stdio.h',
  'musl-tools': 'musl-gcc',
  'containernetworking-plugins': '/usr/lib/cni/bridge',
  podman: 'podman',
  runc: 'runc',
  curl: 'curl',
  procps: 'sysctl',
  tcpdump: 'tcpdump',
  'busybox-static': '/bin/busybox',
  'etcd-server': 'etcd',
  'etcd-client': 'etcdctl',
  containerd: 'containerd',
  'qemu-user': 'qemu-x86_64',
  dpkg: 'dpkg-deb',
  rpm: 'rpmbuild',
  systemd: '/lib/systemd/systemd',
  'netplan.io': 'netplan',
  'network-manager': 'nmcli',
  'mariadb-server': 'mariadbd',
  'python3-pymysql': '/usr/lib/python3/dist-packages/pymysql',
  keystone: 'keystone-manage',
  'neutron-server': 'neutron-rpc-server',
  'neutron-common': 'neutron-db-manage',
  'uwsgi-plugin-python3': 'uwsgi_python3',
  'python3-openstackclient': 'openstack',
  'ovn-central': 'ovn-northd',
  'ovn-host': 'ovn-controller',
  'qemu-system-x86': 'qemu-system-x86_64',
  cpio: 'cpio',
}

const BUILD = ['gcc', 'libc6-dev', 'musl-tools']
const PLAY = [
  ...BUILD,
  'openvswitch-switch',
  'nftables',
  'iproute2',
  'iputils-ping',
  // The API server's certificate, and what containers are started with.
  'openssl',
  'util-linux',
  'hostname',
  // Tells other routers of pods' networks.
  'bird2',
]

/** A container runtime that calls the plugin for real, and what its image is made of: 15 MB to fetch. */
const RUNTIME = ['podman', 'runc', 'busybox-static']

/** A registry that others keep: 12 MB to fetch. Its tests start one of their own. */
const REGISTRY = ['etcd-server', 'etcd-client']

/** OVN's databases and what follows them: 3 MB to fetch. Its tests start their own. */
const OVN = ['ovn-central']

/** What tests look and ask with. A machine has them, a container often not. */
const TOOLS = ['curl', 'procps', 'tcpdump']

// iptables: what Docker filters with.
const TEST = [...PLAY, 'containernetworking-plugins', 'iptables', ...RUNTIME, ...REGISTRY, ...OVN, ...TOOLS]

/** A cloud's identity and network services, and what they keep their state in: 70 MB to fetch. Tests start their own. */
const OPENSTACK = [
  ...['mariadb-server', 'python3-pymysql', 'keystone', 'uwsgi-plugin-python3', 'neutron-server', 'neutron-common'],
  ...['python3-openstackclient', ...OVN, 'ovn-host'],
]

/** A virtual machine with Debian's kernel, for links that this machine's may lack. The kernel is fetched when it is used. */
const GUEST = ['qemu-system-x86', 'busybox-static', 'cpio']

/** Packages by purpose. */
export const PACKAGES = {
  build: BUILD,
  play: PLAY,
  test: TEST,
  bench: [...PLAY, 'containernetworking-plugins'],
  // Programs and libraries of these go into the image.
  image: [...BUILD, 'nftables', 'bird2'],
  package: [...BUILD, 'dpkg', 'rpm'],
  'test:long': TEST,
  'test:openstack': [...PLAY, ...OPENSTACK, ...GUEST, ...TOOLS],
  'test:image': [...BUILD, 'nftables', 'bird2', 'containerd', 'podman', 'runc', 'qemu-user'],
  // The last two read what `weft bridge create` writes for them.
  'test:package': [...PLAY, 'dpkg', 'rpm', 'systemd', ...REGISTRY, 'netplan.io', 'network-manager'],
}

/** The packages of a purpose that this machine lacks. */
export function missingPackages(purpose, { debian }) {
  const names = PACKAGES[purpose]
  return debian ? lackingByDpkg(names, dpkgStatus(names)) : names.filter((name) => !hasWitness(WITNESS[name]))
}

/** The names that `dpkg-query -W -f '${Package} ${db:Status-Status}\n'` does not list as installed. */
export function lackingByDpkg(names, text) {
  const installed = new Set(
    text
      .split('\n')
      .map((line) => line.split(' '))
      .filter(([, status]) => status === 'installed')
      .map(([name]) => name),
  )
  return names.filter((name) => !installed.has(name))
}

/**
 * What to do about missing packages.
 * @param {{ missing: string[], debian: boolean, uid: number, yes: boolean, terminal: boolean }} facts
 * @returns {{ action: 'ready' | 'install' | 'ask' } | { action: 'refuse', cause: string, remedy: string }}
 */
export function decide({ missing, debian, uid, yes, terminal }) {
  if (missing.length === 0) return { action: 'ready' }
  const list = missing.join(' ')
  if (!debian) return { action: 'refuse', cause: `this machine lacks ${list}`, remedy: 'install them by its own means' }
  if (uid !== 0) {
    const remedy = `run this as root, or have root run: apt-get install ${list}`
    return { action: 'refuse', cause: `Debian packages are missing (${list})`, remedy }
  }
  return { action: terminal && !yes ? 'ask' : 'install' }
}

/** Whether os-release text describes Debian or a system made from it. */
export function isDebian(osRelease) {
  return osRelease.split('\n').some((line) => /^ID(_LIKE)?=("?)(.*\b)?debian\b/.test(line))
}

/** What went wrong with apt-get, in words, with the remedy. */
export function aptProblem(output, list) {
  if (/Could not (resolve|connect)|Temporary failure|Connection (failed|timed out)|Unable to connect/i.test(output)) {
    return ["cannot reach Debian's archive", 'check the network or the proxy in /etc/apt, then run this again']
  }
  if (/Unable to locate package|has no installation candidate/.test(output)) {
    return ["Debian's archive does not know a package", `check /etc/apt/sources.list, then: apt-get install ${list}`]
  }
  if (/dpkg was interrupted/.test(output))
    return ['an earlier installation was interrupted', 'run: dpkg --configure -a']
  if (/Could not get lock|Unable to acquire/.test(output)) {
    return ['another installation holds the package database', 'wait for it, then run this again']
  }
  if (/No space left|not enough free space/i.test(output)) return ['the disk is full', 'make room, then run this again']
  const last = output.split('\n').findLast((line) => /^E:/.test(line)) ?? 'apt-get failed'
  return [last.replace(/^E: */, ''), `find out with: apt-get install ${list}`]
}

function dpkgStatus(names) {
  // It fails when it does not know one of them, and lists the others all the same.
  const args = ['-W', '-f', `\${Package} \${db:Status-Status}\n`, ...names]
  return spawnSync('dpkg-query', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).stdout ?? ''
}

function hasWitness(witness) {
  if (witness.startsWith('/')) return existsSync(witness)
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin']
  return folders.some((folder) => existsSync(join(folder, witness)))
}
