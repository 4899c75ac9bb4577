import { testScenario } from '../lab/testing.ts'
import { externalHosts } from './external-hosts.ts'

testScenario(externalHosts)
