// Paths with keys that are known only when the process runs.

/**
 * Begins a path: `path("domain.accounts").key(user).key("balance").text`.
 *
 * The start is syntax, as in the contract; what `key` takes never is.
 */
export function path(start: string): PathBuilder {
  return new PathBuilder(start);
}

/** A path that is being built. */
@final
export class PathBuilder {
  constructor(
    /** The path as it stands. */
    public text: string,
  ) {}

  /** Appends one whole key, whatever it holds: it is quoted where that is needed. */
  key(key: string): PathBuilder {
    this.text += isBare(key) ? "." + key : '["' + key.replaceAll("\\", "\\\\").replaceAll('"', '\\"') + '"]';
    return this;
  }

  /** Appends a list index. */
  index(index: u64): PathBuilder {
    this.text += "[" + index.toString() + "]";
    return this;
  }

  /** The path. */
  toString(): string {
    return this.text;
  }
}

function isBare(key: string): bool {
  for (let at = 0; at < key.length; ++at) {
    const unit = key.charCodeAt(at);
    const letter = (unit | 0x20) >= 0x61 && (unit | 0x20) <= 0x7a;
    const digit = unit >= 0x30 && unit <= 0x39;
    if (!letter && !digit && unit != 0x5f && unit != 0x2d) return false;
  }
  return key.length > 0;
}
