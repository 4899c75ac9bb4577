import { testLongScenario } from '../lab/testing.ts'
import { externalHosts } from './external-hosts.ts'

testLongScenario(externalHosts)
