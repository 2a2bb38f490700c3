;; The allocator gives an odd address for a list of pointers. The call traps.
(data (i32.const 0) "domain.data")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $keys (i32.const 0) (i32.const 11) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 9) (i32.const 64))
  (call $ok (i32.const 512) (i32.const 1)))
(func (export "cabi_realloc") (param $old i32) (param $old_len i32) (param $align i32) (param $len i32) (result i32)
  (i32.const 2049))
