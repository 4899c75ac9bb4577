import { testLongScenario } from '../lab/testing.ts'
import { adoptFrom } from './adopt.ts'

testLongScenario(adoptFrom('k8s-ovs'))
testLongScenario(adoptFrom('openshift'))
