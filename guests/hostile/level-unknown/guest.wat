;; Writes to the log at a level that does not exist. The call traps.
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $log (i32.const 9) (i32.const 512) (i32.const 1))
  (call $ok (i32.const 512) (i32.const 1)))
