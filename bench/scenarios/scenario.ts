import type { ScenarioResult } from './result.js';
import type { Settings } from './settings.js';

export interface Scenario {
  readonly name: string;
  /** One line for --help. */
  readonly summary: string;
  /** @param say tells what is under way, a line at a time */
  run(settings: Settings, say: (line: string) => void): Promise<ScenarioResult>;
}

/** A scenario whose feature is not there yet. */
export class NotBuilt extends Error {
  override readonly name = 'NotBuilt';
}
