//! The library from the outside, as a program that embeds it sees it.
