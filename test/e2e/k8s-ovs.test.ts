import { testLongScenario } from '../lab/testing.ts'
import { k8sOvs } from './k8s-ovs.ts'

testLongScenario(k8sOvs)
