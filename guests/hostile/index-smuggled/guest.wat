;; Names an element behind the last one that there can be. It is no path.
(data (i32.const 0) "domain.data[18446744073709551616]")
(data (i32.const 512) "\c0")
(func (export "theus:process/processes@0.1.0#run")
  (param $process i32) (param $process_len i32) (param $args i32) (param $args_len i32) (result i32)
  (drop (call $remove (i32.const 0) (i32.const 33)))
  (call $ok (i32.const 512) (i32.const 1)))
