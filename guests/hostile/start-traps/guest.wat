;; The start function traps. That is told as the end of the call, as any trap is.
(start $begin)
(func $begin unreachable)
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $ok (i32.const 512) (i32.const 1)))
