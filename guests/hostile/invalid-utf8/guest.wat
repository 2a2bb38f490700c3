;; Names a place with bytes that are no UTF-8. The call traps.
(data (i32.const 0) "domain.data.\ff\fe")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (call $remove (i32.const 0) (i32.const 14)))
  (call $ok (i32.const 512) (i32.const 1)))
