import { testLongScenario } from '../lab/testing.ts'
import { direct } from './direct.ts'
import { policy } from './policy.ts'
import { services } from './services.ts'
import { tenancy } from './tenancy.ts'

testLongScenario(direct)
for (const scenario of [policy, services, tenancy])
  testLongScenario({ ...scenario, name: `direct-${scenario.name}`, lab: { ...scenario.lab, fabric: 'direct' } })
