import type { GateSpec } from '../../contracts/gates.ts';
import type { Target } from '../../contracts/catalog.ts';
import type { Plan } from '../../contracts/plan.ts';

/** One side of a switch. */
export interface ColorPlan {
  deployment: string;
  uid?: string;
  color?: string;
  image: string;
  version: string;
  replicas: number;
  /** What the Service selects when this side serves. */
  selector: Record<string, string>;
  templateHash?: string;
}

/** Everything a person must see before a release, and everything the procedure needs to carry it out. */
export interface ReleasePlan extends Plan {
  target: Target;
  serviceUid: string;
  from: ColorPlan;
  to: ColorPlan;
  /** The Service selects pods of every color: it is first narrowed to the pods that serve now. */
  narrowTo?: Record<string, string>;
  /** A color that an earlier release left and that has the name we need: it goes early. */
  retireEarly?: { deployment: string; uid: string; version: string };
  hpa?: { name: string; minReplicas: number; maxReplicas: number };
  pdb?: string;
  preview: string;
  /** Decided when the new color is proved, before it gets traffic. */
  promotion: GateSpec[];
}
