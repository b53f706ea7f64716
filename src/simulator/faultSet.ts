import type { FrontFault, FaultFields, FaultName } from './faultGrammar.js';

const tickFaults: readonly FaultName[] = [
  'missing_ticks',
  'duplicate_ticks',
  'regressing_ticks',
  'falling_turnover',
  'saturday_ticks',
  'empty_update_time',
  'empty_action_day',
  'exchange_id',
  'zero_for_absent',
  'quotes_alone',
  'limit_up',
  'limit_down',
  'garbage_ticks',
];

/** The faults that a front has at the moment, at most one of each name. */
export class FaultSet {
  readonly #active = new Map<FaultName, FrontFault>();
  #changesTicks = false;

  /** True while a fault needs to see single ticks; without one they are passed on as they come. */
  get changesTicks(): boolean {
    return this.#changesTicks;
  }

  /** The fault's fields while it is set. */
  get<N extends FaultName>(name: N): FaultFields<N> | undefined {
    return this.#active.get(name) as FaultFields<N> | undefined;
  }

  has(name: FaultName): boolean {
    return this.#active.has(name);
  }

  /** Sets a fault, in the place of one of the same name. */
  set(fault: FrontFault): void {
    this.#active.set(fault.fault, fault);
    this.#update();
  }

  clear(name: FaultName): void {
    this.#active.delete(name);
    this.#update();
  }

  /** As JSON: sets become lists. */
  list(): Record<string, unknown>[] {
    return [...this.#active.values()].map((fault) =>
      Object.fromEntries(
        Object.entries(fault).map(([key, value]: [string, unknown]) => [
          key,
          value instanceof Set ? [...(value as Set<string>)] : value,
        ]),
      ),
    );
  }

  #update(): void {
    this.#changesTicks = tickFaults.some((name) => this.#active.has(name));
  }
}
