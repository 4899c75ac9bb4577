import { expect, test } from 'bun:test'
import { parseIp as bytesOf } from '../../linux/ip.ts'
import { STAGES } from '../../network/pipeline/stages.ts'
import { DropLog } from './drop-log.ts'

interface Line {
  readonly text: string
  readonly packets: number
  readonly [field: string]: unknown
}

class Scene {
  readonly lines: Line[] = []
  titles = 0
  #now = 0
  readonly drops = new DropLog({
    log: { info: (fields: object, text?: string) => void this.lines.push({ ...fields, text: text ?? '' } as Line) },
    titleOf: (cookie) => {
      this.titles += 1
      return cookie === 7n ? 'isolation of pods by NetworkPolicy shop/deny (ingress)' : undefined
    },
    podAt: (address) => (address === '10.128.0.2' ? 'shop/web' : undefined),
    now: () => this.#now,
  })

  pass(seconds: number): void {
    for (let n = 0; n < seconds; n += 1) {
      this.#now += 1_000
      this.drops.tick()
    }
  }

  drop(from: string, port: number, cookie = 7n, table: number = STAGES.ingress.table): void {
    const addresses = [...bytesOf(from), ...bytesOf('10.128.0.2')]
    const header = [0x45, 0, 0, 0, 0, 0, 0, 0, 64, 6, 0, 0]
    const packet = Uint8Array.from([
      ...new Array<number>(12).fill(2),
      8,
      0,
      ...header,
      ...addresses,
      0,
      1,
      port >> 8,
      port & 0xff,
    ])
    this.drops.dropped({ packet, cookie, table })
  }

  take(): readonly Line[] {
    return this.lines.splice(0)
  }
}

test('the first packet is a line at once, with who, whom, what and why', () => {
  const scene = new Scene()
  scene.drop('10.129.0.2', 443)
  expect(scene.take()).toEqual([
    {
      by: 'isolation of pods by NetworkPolicy shop/deny (ingress)',
      direction: 'ingress',
      source: '10.129.0.2',
      destination: '10.128.0.2',
      destinationPod: 'shop/web',
      protocol: 'TCP',
      port: 443,
      packets: 1,
      text: 'dropped: 10.129.0.2 → shop/web, TCP 443: isolation of pods by NetworkPolicy shop/deny (ingress)',
    },
  ])
  scene.drop('10.129.0.2', 443, 8n, STAGES.egress.table)
  expect(scene.take()).toMatchObject([{ by: 'a policy that is gone', direction: 'egress' }])
})

test('more of the same are counted for ten seconds, as long as they come', () => {
  const scene = new Scene()
  for (let n = 0; n < 5; n += 1) scene.drop('10.129.0.2', 443)
  expect(scene.take()).toHaveLength(1)
  scene.pass(9)
  expect(scene.take()).toEqual([])
  scene.drop('10.129.0.2', 443)
  scene.pass(1)
  expect(scene.take()).toEqual([expect.objectContaining({ packets: 5, text: expect.stringContaining('again') })])
  scene.drop('10.129.0.2', 443)
  scene.pass(10)
  expect(scene.take()).toMatchObject([{ packets: 1 }])
  scene.pass(10)
  expect(scene.take()).toEqual([])
  scene.drop('10.129.0.2', 443)
  expect(scene.take()).toMatchObject([{ packets: 1 }])
})

test('another sender, port, or rule is another line', () => {
  const scene = new Scene()
  scene.drop('10.129.0.2', 443)
  scene.drop('10.129.0.3', 443)
  scene.drop('10.129.0.2', 80)
  scene.drop('10.129.0.2', 443, 9n)
  expect(scene.take()).toHaveLength(4)
})

test('a scan of ports does not fill the memory, nor the log', () => {
  const scene = new Scene()
  for (let port = 1; port <= 1_000; port += 1) scene.drop('10.129.0.2', port)
  expect(scene.take()).toHaveLength(256)
  scene.pass(1)
  expect(scene.take()).toMatchObject([{ packets: 744 }])
  scene.pass(20)
  scene.drop('10.129.0.2', 999)
  expect(scene.take()).toHaveLength(1)
})

test('what is no packet is no line', () => {
  const scene = new Scene()
  scene.drops.dropped({ packet: Uint8Array.of(1, 2, 3), cookie: 7n, table: 0 })
  scene.pass(20)
  expect(scene.take()).toEqual([])
})

test('whoever has many connections dropped by one policy does not have its name looked for every time', () => {
  const scene = new Scene()
  for (let port = 1; port <= 50; port += 1) scene.drop('10.129.0.2', port)
  expect(scene.take()).toHaveLength(50)
  expect(scene.titles).toBe(1)
})
