;; The allocator calls itself for ever. The stack limit ends it, though the host's frames lie below.
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $ok (i32.const 512) (i32.const 1)))
(func $deeper (param i64 i64 i64 i64) (result i64)
  (i64.add
    (local.get 0)
    (call $deeper (local.get 1) (local.get 2) (local.get 3) (local.get 0))))
(func (export "cabi_realloc") (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
  (i32.wrap_i64 (call $deeper (i64.const 1) (i64.const 2) (i64.const 3) (i64.const 4))))
