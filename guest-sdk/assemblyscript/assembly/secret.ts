/**
 * The type of a parameter that the host's records and messages show as `***`: `token: Secret<string>`.
 *
 * To the process it is a `T` like any other.
 */
export type Secret<T> = T;
