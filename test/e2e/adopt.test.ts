import { testScenario } from '../lab/testing.ts'
import { adoptFrom } from './adopt.ts'

testScenario(adoptFrom('k8s-ovs'))
testScenario(adoptFrom('openshift'))
