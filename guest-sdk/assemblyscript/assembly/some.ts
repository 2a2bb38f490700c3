/**
 * A value that is there: `Some<i64> | null` is a number, or nothing.
 *
 * Classes and strings can be `null` themselves; numbers and `bool` cannot, and take this around them.
 */
@final
export class Some<T> {
  constructor(
    /** What is there. */
    public value: T,
  ) {}
}
