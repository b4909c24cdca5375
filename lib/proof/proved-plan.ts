// Of the ways to confine that a host may allow, the one that lacks least, proved.
import { hostSettings } from '../confinement/host-settings';
import type { Confinement } from '../confinement/plan';
import type { HostView } from '../host/view';
import { once } from '../time/once';
import { prove, type Proof } from './probe';

/** A plan, and what its probes found. */
export interface ProvedPlan {
  confinement: Confinement;
  proof: Proof;
  /** Has a proof that found something missing done anew the next time: it may be cured by then. */
  forgetProof: () => void;
}

// Of all jails of this process: making another jail costs nothing.
const proofs = new Map<string, Promise<Proof>>();

/** Of two jails that could not be made, the one that lacks less got further: its failure is the one to cure. */
function lacksLess(one: Proof, other: Proof): boolean {
  // Without a single check the jail could not even be made.
  const [isMade, isOtherMade] = [one.checks.length > 0, other.checks.length > 0];
  return isMade === isOtherMade ? one.missing.length < other.missing.length : isMade;
}

/**
 * The plan that lacks least, the first of them where several do.
 * @param plans best first; at least one
 * @param view what the jail shows of the host
 */
export async function bestProved(
  plans: readonly Confinement[],
  view: HostView,
): Promise<ProvedPlan> {
  const tried: string[] = [];
  let best: Omit<ProvedPlan, 'forgetProof'> | undefined;
  for (const confinement of plans) {
    const key = JSON.stringify([confinement, view, hostSettings(confinement)]);
    tried.push(key);
    const proof = await once(proofs, key, async () => prove(confinement, view));
    if (best === undefined || lacksLess(proof, best.proof)) {
      best = { confinement, proof };
    }
    if (best.proof.missing.length === 0) {
      break;
    }
  }
  if (best === undefined) {
    throw new TypeError('a host of no known kind');
  }
  const { missing } = best.proof;
  return {
    ...best,
    forgetProof: () => {
      for (const key of missing.length > 0 ? tried : []) {
        proofs.delete(key);
      }
    },
  };
}
