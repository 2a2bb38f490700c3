;; Has the host decode two million texts in one call, again and again. The host's work costs fuel by its size, and the host
;; looks at the deadline while it works: whichever is reached first ends it.
(data (i32.const 0) "domain.data.heavy_x")
(data (i32.const 32) "\dd\00\20\00\00" "\b0aaaaaaaaaaaaaaaa")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (local $len i32)
  (drop (memory.grow (i32.const 546)))
  (memory.copy (i32.const 65536) (i32.const 32) (i32.const 22))
  ;; The text behind the list's head, doubled until there are 2^21 of them.
  (local.set $len (i32.const 17))
  (loop $double
    (memory.copy (i32.add (i32.const 65541) (local.get $len)) (i32.const 65541) (local.get $len))
    (local.set $len (i32.shl (local.get $len) (i32.const 1)))
    (br_if $double (i32.lt_u (local.get $len) (i32.const 35651584))))
  (loop $on
    (call $set (i32.const 0) (i32.const 19) (i32.const 65536) (i32.const 35651589))
    (br $on))
  unreachable)
