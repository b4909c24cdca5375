// What inspectHost() and verify() say.
import { GUARANTEES, servedBy } from '../confinement/guarantees';
import type { MissingGuarantee } from '../errors';
import { GUARANTEE_NAMES, type GuaranteeName } from '../guarantee-names';
import type { CgroupState } from '../host/cgroup';
import { hostFacts, type HostKind } from '../host/host';
import type { ProbeCheck, Proof } from './probe';

/** One guarantee, on this host. */
export interface GuaranteeReport {
  /** Its name. */
  guarantee: GuaranteeName;
  /** What a jailed program can't do. */
  cannot: string;
  /** The mechanisms that serve it here. */
  servedBy: string[];
  /** Why it is not given, and the cure; null where it is given. */
  missing: {
    /** What is missing here, in words. */
    why: string;
    /** What to do, as a command where there is one. */
    cure: string;
    /** The same as commands to be typed, in order, each in its words; absent where no command cures it. */
    commands?: readonly (readonly string[])[];
  } | null;
}

/** What this host guarantees. */
export interface HostReport {
  /**
   * `root`: jails take uids of a pool; `user`: jails have user namespaces; `container`: root without the capability for
   * namespaces, whose jails take uids of a pool.
   */
  kind: HostKind;
  /** The kernel's release: `6.1.0-18-amd64`. */
  kernel: string;
  /** Whether every guarantee is given. */
  confined: boolean;
  /** Whether what is missing can be given up by name; not where no jail could be made at all. */
  canBeGivenUp: boolean;
  /** Each guarantee, in the order of the documentation. */
  guarantees: GuaranteeReport[];
  /**
   * The cgroup below which each jail has one of its own; or why there is none, and how to get one. No
   * guarantee depends on it: with it, sums are the kernel's own.
   */
  cgroup: CgroupState;
}

/** What the probes found inside a command's jail. */
export interface VerifyReport {
  /** The command's name. */
  command: string;
  /** Whether every guarantee is given. */
  confined: boolean;
  /** The mechanisms that were in force. */
  confinement: string[];
  /** Each attempt to break a guarantee, and whether the jail held. */
  checks: ProbeCheck[];
  /** The same attempts in processes that wait for calls of a warm command; null where there are none. */
  cells: ProbeCheck[] | null;
  /** The guarantees that are not given, each with why and the cure. */
  missing: MissingGuarantee[];
}

function lackOf({ why, cure, commands }: MissingGuarantee): GuaranteeReport['missing'] {
  return { why, cure, ...(commands === undefined ? {} : { commands }) };
}

/** The report on the host, from what a proof found and what was in force. */
export function hostReport(
  proof: Proof,
  mechanisms: readonly string[],
  cgroup: CgroupState,
): HostReport {
  const facts = hostFacts();
  return {
    kind: facts.kind,
    kernel: facts.kernel,
    cgroup,
    confined: proof.missing.length === 0,
    canBeGivenUp: proof.checks.length > 0,
    guarantees: GUARANTEE_NAMES.map((guarantee) => {
      const found = proof.missing.find((entry) => entry.guarantee === guarantee);
      return {
        guarantee,
        cannot: GUARANTEES[guarantee].cannot,
        servedBy: found === undefined ? servedBy(guarantee, mechanisms) : [],
        missing: found === undefined ? null : lackOf(found),
      };
    }),
  };
}
