import type { Logger } from 'pino';
import type { GatewayConfig } from '../config/gatewayConfig.js';
import { ConfigError } from '../config/configError.js';
import { FileWatch } from '../config/fileWatch.js';
import { loadConfig, type ConfigSources } from '../config/load.js';
import type { NamedFile } from '../config/namedFiles.js';
import { withoutWaiting } from '../base/jsonFile.js';
import type { ReloadSummary } from '../config/reload.js';
import { loggedReload } from './reloadLog.js';
import { marked } from '../base/logEvents.js';

/** Changed files that a line names; the rest is counted. */
const mostNamed = 3;

/**
 * Says when the configuration is to be read again: when it is asked to, and when its file, or one that it names, has changed
 * and config_watch is on. What is asked for before the gateway can reload is done once it can.
 */
export class Reloads {
  readonly #sources: ConfigSources;
  readonly #log: Logger;
  readonly #pace: ConstructorParameters<typeof FileWatch>[1];
  #warnings: readonly string[];
  #watch: FileWatch | undefined;
  /** Those that are watched while config_watch is on. */
  #files: readonly NamedFile[] = [];
  #reload: (() => ReloadSummary) | undefined;
  /** Causes of reloads that were requested too early. */
  #early: string | undefined;
  #closed = false;

  /** Watches from now on. `config` is what the sources gave. */
  constructor(
    sources: ConfigSources,
    config: GatewayConfig,
    log: Logger,
    pace?: ConstructorParameters<typeof FileWatch>[1],
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
    const next = this.#read();
    for (const text of next.warnings)
      if (!this.#warnings.includes(text)) this.#log.warn(marked('config_warning'), text);
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

  /** Files that a wrong configuration names are watched too: a change there may correct it. */
  #read(): GatewayConfig {
    try {
      // Everything else of the process would wait too.
      return withoutWaiting(() => loadConfig(this.#sources));
    } catch (error) {
      if (error instanceof ConfigError) this.#watchFiles([...this.#files, ...error.files]);
      throw error;
    }
  }

  #follow({ configWatch, files }: GatewayConfig): void {
    if (!configWatch || this.#closed) {
      this.#watch?.close();
      this.#watch = undefined;
    } else {
      this.#watch ??= new FileWatch(
        {
          changed: (paths) => this.request(this.#causeOf(paths)),
          restless: (path) =>
            this.#log.warn(
              marked('config_restless'),
              `${this.#nameOf(path)} changes all the time: it is not read before it is left alone, and changes of other files do not wait for it any more`,
            ),
        },
        this.#pace,
      );
    }
    this.#watchFiles(files);
  }

  #watchFiles(files: readonly NamedFile[]): void {
    this.#files = [...new Map(files.map((file) => [file.path, file])).values()];
    this.#watch?.follow(this.#files.map(({ path }) => path));
  }

  /** As the configuration writes it. */
  #nameOf(path: string): string {
    return this.#files.find((file) => file.path === path)?.name ?? path;
  }

  /** Such as "a.pem and b.pem have changed". */
  #causeOf(paths: readonly string[]): string {
    const names = paths.map((path) => this.#nameOf(path));
    const more = names.length - mostNamed;
    const named = [...names.slice(0, mostNamed), ...(more > 0 ? [`${more} more`] : [])];
    const last = named.pop()!;
    return named.length === 0 ? `${last} has changed` : `${named.join(', ')} and ${last} have changed`;
  }
}
