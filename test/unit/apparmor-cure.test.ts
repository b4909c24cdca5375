// What to do about a change of AppArmor profile that was refused, by what the kernel said.
import { constants } from 'node:os';
import { appArmorCure, type AppArmorStep } from '../../lib/confinement/apparmor-cure';

const { ENOENT, EACCES, EPERM } = constants.errno;

describe('the cure', () => {
  it.each<[string, AppArmorStep, number, string, string]>([
    [
      'a profile that is not loaded',
      'appArmor',
      ENOENT,
      'codejail-python',
      'sudo apparmor_parser --replace /etc/apparmor.d/codejail-python',
    ],
    [
      'a profile in complain mode',
      'appArmorLabel',
      EACCES,
      'codejail-python (complain)',
      'sudo aa-enforce codejail-python',
    ],
    [
      'a stack of which one is in complain mode',
      'appArmorLabel',
      EACCES,
      'outer//&codejail-python (mixed)',
      'put every profile of the label "outer//&codejail-python (mixed)" into enforce mode',
    ],
    [
      'a caller that is confined itself',
      'appArmor',
      EPERM,
      'my-service (enforce)',
      'confined, by my-service: give that profile the rule "change_profile -> PROFILE,"',
    ],
    [
      'a container that is confined by its engine',
      'appArmor',
      EACCES,
      'docker-default (enforce)',
      'start it with --security-opt apparmor=unconfined',
    ],
    ['another refusal', 'openAppArmor', EACCES, '', 'dmesg'],
  ])('of %s', (_name, step, errno, detail, expected) => {
    expect(appArmorCure(step, errno, detail)).toContain(expected);
  });
});
