import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RegistryClient } from './client.ts'
import { registryConformance } from './conformance.ts'
import { MemoryRegistry } from './memory.ts'
import { serveRegistry } from './server.ts'

registryConformance('RegistryClient on a served MemoryRegistry', async (demands) => {
  const folder = mkdtempSync(join(tmpdir(), 'weft-registry-'))
  const path = join(folder, 'registry.sock')
  const server = await serveRegistry(new MemoryRegistry(demands), { path })
  const close = async (): Promise<void> => {
    await server.stop()
    rmSync(folder, { recursive: true })
  }
  return { registry: new RegistryClient(path), close }
})
