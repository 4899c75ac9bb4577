import { testScenario } from '../lab/testing.ts'
import { k8sOvs } from './k8s-ovs.ts'

testScenario(k8sOvs)
