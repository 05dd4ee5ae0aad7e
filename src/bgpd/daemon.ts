/** A speaker with its configuration file and its control socket. */

import { Speaker, type SpeakerConfig } from "../bgp/index.ts";
import type { BgpSource } from "../bgp/view/index.ts";
import { type Clock, errorText } from "../lib/index.ts";
import type { Log } from "../lib/log/index.ts";
import { type BgpdConfig, readConfig } from "./config-file.ts";
import { type ControlSocket, serveControl } from "./control-socket.ts";
import type { BgpdStatus } from "./status.ts";

export interface DaemonOptions {
  readonly configPath: string;
  /** What the file said. */
  readonly config: BgpdConfig;
  readonly socketPath: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly version: string;
}

export class Daemon {
  readonly #options: DaemonOptions;
  readonly #startedAtMs: number;
  #loadedAtMs: number;
  #reloadError = "";
  #config: SpeakerConfig;
  readonly #speaker: Speaker;
  #control: ControlSocket | undefined;

  constructor(options: DaemonOptions) {
    this.#options = options;
    const { clock, log, config } = options;
    this.#config = config.speaker;
    this.#speaker = new Speaker({ clock, log, config: this.#config });
    this.#startedAtMs = options.clock.now();
    this.#loadedAtMs = this.#startedAtMs;
  }

  /** The socket first: it tells whether another one runs, and two would speak for one address. */
  async start(): Promise<void> {
    const { socketPath } = this.#options;
    this.#control = await serveControl(socketPath, {
      status: () => this.status(),
      bgp: () => this.source(),
    });
    try {
      await this.#speaker.start();
    } catch (error) {
      await this.#control.close();
      throw error;
    }
  }

  /** Takes the file as it is now; a bad one changes nothing, and is told of until a good one comes. */
  reload(): boolean {
    const { configPath, log, clock } = this.#options;
    try {
      const { speaker } = readConfig(configPath);
      this.#speaker.configure(speaker);
      this.#config = speaker;
      this.#loadedAtMs = clock.now();
      this.#reloadError = "";
      log.info({ file: configPath, peers: speaker.peers.length }, "configuration taken");
      return true;
    } catch (error) {
      this.#reloadError = errorText(error);
      log.error({ error: this.#reloadError }, "configuration not taken, the old one stays");
      return false;
    }
  }

  status(): BgpdStatus {
    const { configPath, version } = this.#options;
    return {
      version,
      pid: process.pid,
      startedAt: new Date(this.#startedAtMs).toISOString(),
      file: configPath,
      loadedAt: new Date(this.#loadedAtMs).toISOString(),
      reloadError: this.#reloadError,
      converged: this.#speaker.converged(),
    };
  }

  source(): BgpSource {
    const { localAs, routerId } = this.#config;
    return { localAs, routerId, speaker: this.#speaker, configurationError: this.#reloadError };
  }

  /** Sessions close without a word: peers keep our routes for the restart time (RFC 4724). */
  async stop(): Promise<void> {
    await this.#speaker.stop();
    await this.#control?.close();
  }

  /** Peers are told that this is the end (Cease / Administrative Shutdown), and drop our routes at once. */
  async shutdown(message: string): Promise<void> {
    await this.#speaker.stop({ notify: true, message });
    await this.#control?.close();
  }
}
