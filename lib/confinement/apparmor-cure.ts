// What cures a change of AppArmor profile that was refused.
import { constants } from 'node:os';
import type { StepId } from '../native/steps';

/** The steps at which the change can fail. */
export type AppArmorStep = Extract<StepId, 'openAppArmor' | 'appArmor' | 'appArmorLabel'>;

/** Whether it is one of them. */
export function isAppArmorStep(step: StepId): step is AppArmorStep {
  return step === 'openAppArmor' || step === 'appArmor' || step === 'appArmorLabel';
}

/** What engines load for their containers; no rule can be given to them that stays. */
const OF_CONTAINERS = /^(?:docker-default|containers-default-|crio-default|cri-containerd\.)/;

/** The profile of a label, without its mode. */
function profileOf(label: string): string {
  return label.replace(/ \(\w+\)$/, '');
}

/**
 * The command that cures it.
 * @param detail the profile that is missing, or the label that stands in the way, as the kernel prints it
 */
export function appArmorCure(step: AppArmorStep, errno: number, detail: string): string {
  if (step === 'appArmorLabel') {
    const label = profileOf(detail);
    return detail.endsWith(' (complain)')
      ? `sudo aa-enforce ${label} (it is in complain mode, which denies nothing)`
      : `put every profile of the label "${detail}" into enforce mode: sudo aa-enforce PROFILE`;
  }
  if (step === 'appArmor' && errno === constants.errno.ENOENT) {
    return (
      `load the profile: sudo apparmor_parser --replace /etc/apparmor.d/${detail}; ` +
      `where there is none yet: sudo npx codejail profile install`
    );
  }
  if (step === 'appArmor' && / \(\w+\)$/.test(detail)) {
    if (OF_CONTAINERS.test(detail)) {
      return (
        `this container is itself confined, by ${profileOf(detail)}, which lets nobody change to another profile: start it with ` +
        '--security-opt apparmor=unconfined, or with a profile of yours that has the rule "change_profile -> PROFILE,"'
      );
    }
    return (
      `this process is itself confined, by ${profileOf(detail)}: give that profile the rule ` +
      '"change_profile -> PROFILE," (or "change_profile -> &PROFILE," where no_new_privs is set) and load it again'
    );
  }
  return 'see the step and its error in sudo dmesg | grep apparmor=';
}
