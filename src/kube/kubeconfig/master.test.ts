import { expect, test } from 'bun:test'
import { loadMaster } from '../kubeconfig.ts'

const SECRET = 's3cr3t-s3cr3t-s3cr3t'

test.each([
  ['127.0.0.1:8080', 'http://127.0.0.1:8080'],
  ['master.test:8080', 'http://master.test:8080'],
  ['[fd00::1]:8080', 'http://[fd00::1]:8080'],
  ['fd00::1', 'http://[fd00::1]'],
  ['http://192.0.2.1:8080/', 'http://192.0.2.1:8080'],
  ['https://master.test/k8s', 'https://master.test/k8s'],
])('KUBERNETES_MASTER=%s is %s, without an account', (master, server) => {
  const config = loadMaster(master)
  expect(config.server).toBe(server)
  expect(config.credentials?.()).toEqual({})
})

test.each(['ftp://x', `http://u:${SECRET}@x`, 'a b', '::::'])('KUBERNETES_MASTER=%s is refused', async (master) => {
  const refusal = Promise.try(() => loadMaster(master))
  await expect(refusal).rejects.toMatchObject({ code: 'KUBE_CONFIG' })
  await expect(refusal.catch(Bun.inspect)).resolves.not.toContain(SECRET)
})
