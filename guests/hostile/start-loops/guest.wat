;; The start function never comes back. The fuel ends the call before its process is entered.
(start $begin)
(func $begin
  (loop $on (br $on)))
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $ok (i32.const 512) (i32.const 1)))
