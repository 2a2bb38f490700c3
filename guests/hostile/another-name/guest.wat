;; Is called as `attack` and does the work of its other process, which may write more. The grant is that of the name that
;; was called, whatever the guest does with it.
(data (i32.const 0) "domain.rows[0]")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $set (i32.const 0) (i32.const 14) (i32.const 512) (i32.const 1))
  (call $ok (i32.const 512) (i32.const 1)))
