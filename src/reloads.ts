import { resolve } from 'node:path';
import type { Logger } from 'pino';
import type { GatewayConfig } from './config/gatewayConfig.js';
import { loadConfig, type ConfigSources } from './config/load.js';
import type { ReloadSummary } from './config/reload.js';
import { ConfigWatch } from './config/watch.js';
import { loggedReload } from './reloadLog.js';

/**
 * Says when the configuration is to be read anew: when it is asked to, and when the file has changed and config_watch is
 * on. What is asked for before the gateway can reload is done once it can.
 */
export class Reloads {
  readonly #sources: ConfigSources;
  readonly #log: Logger;
  readonly #pace: ConstructorParameters<typeof ConfigWatch>[2];
  #warnings: readonly string[];
  #watch: ConfigWatch | undefined;
  #reload: (() => ReloadSummary) | undefined;
  /** What asked for a reload too early. */
  #early: string | undefined;
  #closed = false;

  /** Watches from now on. `config` is what the sources gave. */
  constructor(
    sources: ConfigSources,
    config: GatewayConfig,
    log: Logger,
    pace?: ConstructorParameters<typeof ConfigWatch>[2],
  ) {
    this.#sources = sources;
    this.#log = log;
    this.#pace = pace;
    this.#warnings = config.warnings;
    this.#follow(config);
  }

  /**
   * Reads the same sources again; warnings that are new are logged.
   *
   * @throws ConfigError as loadConfig
   */
  load(): GatewayConfig {
    const next = loadConfig(this.#sources);
    for (const text of next.warnings) if (!this.#warnings.includes(text)) this.#log.warn(text);
    this.#warnings = next.warnings;
    this.#follow(next);
    return next;
  }

  /** From now on reloads are carried out with `reload`, which calls load(). */
  begin(reload: () => ReloadSummary): void {
    this.#reload = reload;
    if (this.#early !== undefined) this.request(this.#early);
  }

  /** Reloads, and logs what has changed or why nothing has. Never throws. `cause` begins the lines. */
  request(cause: string): void {
    if (this.#closed) return;
    if (this.#reload === undefined) {
      this.#early = cause;
      return;
    }
    try {
      loggedReload(this.#log, cause, this.#reload);
    } catch {
      // Nobody waits for an answer: the log has it.
    }
  }

  /** Nothing is reloaded any more. */
  close(): void {
    this.#closed = true;
    this.#watch?.close();
  }

  #follow({ configWatch }: GatewayConfig): void {
    const { file, cwd } = this.#sources;
    if (!configWatch || file === undefined || this.#closed) {
      this.#watch?.close();
      this.#watch = undefined;
    } else {
      this.#watch ??= new ConfigWatch(
        resolve(cwd, file),
        () => this.request(`${file} has changed`),
        this.#pace,
      );
    }
  }
}
