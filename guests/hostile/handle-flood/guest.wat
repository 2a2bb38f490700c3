;; Has a resource of its own, and makes handles of it without end: each takes memory of the host. A trap ends it, at some
;; thousands of them.
(type $thing (resource (rep i32)))
(core func $new (canon resource.new $thing))
(core module $main
  (import "own" "new" (func $new (param i32) (result i32)))
  (memory (export "memory") 1)
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "run") (param i32 i32 i32 i32) (result i32)
    (loop $on
      (drop (call $new (i32.const 0)))
      (br $on))
    unreachable))
(core instance $main (instantiate $main (with "own" (instance (export "new" (func $new))))))
