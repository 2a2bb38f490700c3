;; Calls the host more often than any process needs. The limit on host calls ends it.
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (loop $on
    (call $log (i32.const 2) (i32.const 0) (i32.const 0))
    (br $on))
  unreachable)
