/**
 * Requests that the model's API counts together: the Agent API counts all requests of a key alike, chat completions count
 * answers, submissions of asynchronous completions and polls of those apart.
 */
export type RequestKind = 'agent' | 'chat' | 'chat-submit' | 'chat-poll';

/** How many requests may be made within any second and within any minute, at least 1; null: as many as there are. */
export interface RequestRate {
  readonly perSecond: number | null;
  readonly perMinute: number | null;
  /** Whether the API may be believed when it says that the key has more. */
  readonly mayRise: boolean;
}

export type RequestRates = Readonly<Record<RequestKind, RequestRate>>;

/** A request that has been reserved. */
export interface RequestSlot {
  readonly id: string;
  /** Milliseconds until it may be sent; 0 or less when it may be sent now. It may change until then. */
  readonly waitMs: number;
  /** How many reservations before it are still waiting. */
  readonly ahead: number;
}

/**
 * The rate limit of the model's API, shared by all replicas that use the same key: first come, first served. Every method
 * rejects when the store cannot be reached.
 */
export interface ModelRateLimiter {
  /**
   * Reserves the next request of this kind. What the same `holder` has reserved and still waits is kept: after a crash a question
   * has its place again, and none is left that nobody takes.
   */
  reserve(kind: RequestKind, holder?: string): Promise<RequestSlot>;
  /** The same where it may be sent within `withinMs`; else nothing is reserved, and it is null. */
  tryReserve(kind: RequestKind, withinMs: number): Promise<RequestSlot | null>;
  /** A reservation as it stands now: blocks and returned reservations move it. Null when it is over an hour old. */
  find(id: string): Promise<RequestSlot | null>;
  /** Returns a reservation whose request will not be sent; what waits behind it moves up. */
  release(id: string): Promise<void>;
  /**
   * Lets no request of this kind be sent for `ms`, as the API asked. `isGuessed`: it did not say for how long; then half as many
   * are sent for the next ten minutes too. False where this kind has no limit: nothing waits then.
   */
  blockFor(kind: RequestKind, ms: number, isGuessed?: boolean): Promise<boolean>;
  /** Takes in how many requests a minute the API says that the key has. */
  learn(kind: RequestKind, perMinute: number): Promise<void>;
}
