;; Waits for the same moment a thousand times over in one call, again and again: few instructions, and the host looks up every
;; handle. What is waited for costs fuel one by one: the fuel ends it.
(import "wasi:clocks/monotonic-clock@0.2.0" "subscribe-duration" (func $after (param i64) (result i32)))
(import "wasi:io/poll@0.2.0" "poll" (func $poll (param i32 i32 i32)))
(func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) (i32.const 32768))
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (local $at i32)
  (local $moment i32)
  (local.set $moment (call $after (i64.const 0)))
  (loop $fill
    (i32.store (i32.add (i32.const 16384) (local.get $at)) (local.get $moment))
    (br_if $fill (i32.lt_u (local.tee $at (i32.add (local.get $at) (i32.const 4))) (i32.const 4096))))
  (loop $on
    (call $poll (i32.const 16384) (i32.const 1024) (i32.const 64))
    (br $on))
  unreachable)
