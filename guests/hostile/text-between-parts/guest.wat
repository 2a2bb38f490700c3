;; Two components in one guest, which pass a text of 30 MB between them again and again: the runtime would copy it without fuel, and
;; look at every character of two bytes. Such a guest is refused.
(component $inner
  (core module $taker
    (memory (export "memory") 480)
    (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 0))
    (func (export "take") (param i32 i32)))
  (core instance $taker (instantiate $taker))
  (func (export "take") (param "text" string)
    (canon lift (core func $taker "take") (memory (core memory $taker "memory"))
      (realloc (core func $taker "realloc")))))
(instance $inner (instantiate $inner))
(core module $memory (memory (export "memory") 480))
(core instance $memory (instantiate $memory))
(core func $take (canon lower (func $inner "take") (memory (core memory $memory "memory"))))
(core module $main
  (import "parts" "memory" (memory 480))
  (import "parts" "take" (func $take (param i32 i32)))
  (export "memory" (memory 0))
  (func (export "realloc") (param i32 i32 i32 i32) (result i32) (i32.const 4096))
  (func (export "run") (param i32 i32 i32 i32) (result i32)
    (local $len i32)
    ;; Twice "é".
    (i32.store (i32.const 0) (i32.const 0xa9c3a9c3))
    (local.set $len (i32.const 4))
    (loop $double
      (memory.copy (local.get $len) (i32.const 0) (local.get $len))
      (local.set $len (i32.shl (local.get $len) (i32.const 1)))
      (br_if $double (i32.lt_u (local.get $len) (i32.const 15000000))))
    (memory.copy (local.get $len) (i32.const 0) (i32.sub (i32.const 31000000) (local.get $len)))
    (loop $on
      (call $take (i32.const 0) (i32.const 31000000))
      (br $on))
    unreachable))
(core instance $main
  (instantiate $main
    (with "parts" (instance (export "memory" (memory $memory "memory")) (export "take" (func $take))))))
