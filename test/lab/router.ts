/**
 * A router outside of a playground that speaks BGP: a BIRD of its own where the playground's host outside is.
 * @module
 */
import { join } from 'node:path'
import { BirdKeeper } from '../../src/bird/keeper.ts'
import { netnsPath, outsideAddress } from '../../src/playground/layout.ts'
import type { Lab } from './lab.ts'

/** Of its own autonomous system. */
export const ROUTER_AS = 65_001
/** What is behind it, and an address there that answers. */
export const BEHIND = {
  4: { network: '203.0.113.0/24', address: '203.0.113.9' },
  6: { network: '2001:db8:113::/64', address: '2001:db8:113::9' },
} as const

const FAMILIES = [4, 6] as const

/** Starts it: it tells every node of what is behind it, and its kernel gets what it hears. `hold` in seconds. */
export async function startRouter(lab: Lab, { hold = 90, bfd = false } = {}): Promise<BirdKeeper> {
  const netns = lab.layout.outsideNetns
  for (const family of FAMILIES) {
    const { address } = BEHIND[family]
    await lab.inside(netns, 'ip', 'address', 'replace', `${address}/${family === 4 ? 32 : 128}`, 'dev', 'lo')
  }
  await lab.inside(netns, 'ip', 'link', 'set', 'lo', 'up')
  const dir = join(lab.layout.runDir, 'router')
  const keeper = new BirdKeeper({
    folder: join(dir, 'conf'),
    runFolder: join(dir, 'run'),
    command: ['ip', 'netns', 'exec', netns, 'bird'],
    namespace: netnsPath(netns),
  })
  await keeper.apply([{ name: 'bird.conf', content: textOf(lab, hold, bfd), isSecret: false }])
  return keeper
}

function textOf(lab: Lab, hold: number, bfd: boolean): string {
  const families = FAMILIES.map(
    (family) => `protocol static behind${family} { ipv${family}; route ${BEHIND[family].network} blackhole; }
protocol kernel kernel${family} {
  merge paths on;
  ipv${family} { import none; export filter { if source = RTS_BGP then accept; reject; }; };
}
`,
  )
  const sessions = lab.nodes().flatMap((index) =>
    FAMILIES.map((family) => {
      const there = lab.node(index).addresses[family === 4 ? 0 : 1]
      return `protocol bgp node${index}_${family} {
  local ${outsideAddress(family)} as ${ROUTER_AS};
  neighbor ${there} as 64512;
  hold time ${hold}; connect delay time 1; connect retry time 2; error wait time 1, 4;
  ${bfd ? 'bfd on;' : ''}
  ipv${family} { import all; export where proto = "behind${family}"; };
}
`
    }),
  )
  return `log stderr all;
router id ${outsideAddress(4)};
protocol device { scan time 2; }
${bfd ? 'protocol bfd { interface "*" { interval 100 ms; multiplier 3; }; }' : ''}
${families.join('')}${sessions.join('')}`
}
