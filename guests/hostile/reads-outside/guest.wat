;; Reads a place that its contract does not name. The run ends there: what follows never happens.
(data (i32.const 0) "domain.hidden")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (call $get (i32.const 0) (i32.const 13) (i32.const 64))
  (call $log (i32.const 2) (i32.const 0) (i32.const 13))
  (call $ok (i32.const 512) (i32.const 1)))
