/** Tells packets that have come before, by sender and session (RFC 4303 section 3.4.3: a window of numbers). */

const WINDOW = 4096;
/** A sender has a new session for each round and partner, and after each start of its agent. */
const SESSIONS_PER_SENDER = 16;

class Window {
  #highest = -1;
  /** Numbers seen, modulo the window's size. */
  readonly #seen = new Uint8Array(WINDOW);

  take(sequence: number): boolean {
    if (sequence <= this.#highest - WINDOW) return false;
    if (sequence > this.#highest) {
      const from = Math.max(this.#highest + 1, sequence - WINDOW + 1);
      for (let missed = from; missed <= sequence; missed++) this.#seen[missed % WINDOW] = 0;
      this.#highest = sequence;
    }
    if (this.#seen[sequence % WINDOW] === 1) return false;
    this.#seen[sequence % WINDOW] = 1;
    return true;
  }
}

export class ReplayGuard {
  readonly #senders = new Map<string, Map<string, Window>>();

  /** False if this packet has come before, or is too old to tell. Ask for authenticated packets only. */
  isNew({ sender, session, sequence }: { sender: string; session: string; sequence: number }) {
    let sessions = this.#senders.get(sender);
    if (sessions === undefined) {
      sessions = new Map();
      this.#senders.set(sender, sessions);
    }
    let window = sessions.get(session);
    if (window === undefined) {
      if (sessions.size >= SESSIONS_PER_SENDER) {
        const [oldest = ""] = sessions.keys();
        sessions.delete(oldest);
      }
      window = new Window();
      sessions.set(session, window);
    }
    return window.take(sequence);
  }
}
